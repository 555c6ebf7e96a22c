//go:build scenario

package scenario

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The backends close connections that were idle for a second; the gate, which
// would keep them for four, sends everything from a tenth before that moment to a
// tenth behind it.
func TestScenario11NoEventIsLostToAClosingBackend(t *testing.T) {
	t.Parallel()
	rounds, crowd := lasts(8, 250), 40
	s := newSite(t, plan{backends: 2, role: role{Idle: time.Second}})
	var r report
	for round := range rounds {
		r = append(r, s.burst(round, crowd)...)
		pause(time.Second + time.Duration(round*5%21-10)*10*time.Millisecond)
	}

	r.faultless(t, "POST")
	assert.Len(t, r, rounds*crowd)
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	s.settle(t, r)
}

// burst posts many events at the same moment.
func (s *site) burst(round, crowd int) report {
	r := make(report, crowd)
	var there sync.WaitGroup
	for i := range crowd {
		there.Go(func() { r[i] = s.client.visit(request{id: fmt.Sprintf("v-%d-%d", round, i), post: true}) })
	}
	there.Wait()
	return r
}
