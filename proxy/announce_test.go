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

		assert.NoError(t, g.Stay())
		g.Retire()
		<-time.After(10 * time.Second)
		g.Retire()
		began = time.Now()
		g.announce(15 * time.Second)
		assert.Equal(t, 5*time.Second, time.Since(began))
		began = time.Now()
		g.announce(15 * time.Second)
		assert.Zero(t, time.Since(began))
	})
}
