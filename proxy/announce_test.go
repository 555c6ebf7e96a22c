package proxy

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// Kubernetes has a gate say that it leaves, waits, and tells it to end: it has been announced
// by then.
func TestALeaveIsAnnouncedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gate{}
		began := time.Now()
		g.announce(15 * time.Second)
		assert.Equal(t, 15*time.Second, time.Since(began))

		assert.NoError(t, g.Retire(false))
		assert.NoError(t, g.Retire(true))
		<-time.After(10 * time.Second)
		assert.NoError(t, g.Retire(true), "who says it again says nothing new")
		began = time.Now()
		g.announce(15 * time.Second)
		assert.Equal(t, 5*time.Second, time.Since(began))
		began = time.Now()
		g.announce(15 * time.Second)
		assert.Zero(t, time.Since(began))
	})
}
