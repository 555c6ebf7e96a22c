package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/configs"
)

var (
	errRefused = &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	errIll     = errors.New("ill")

	watched = configs.Health{Path: "/", Failures: 3} // without checks
	checked = configs.Health{Path: "/", Interval: 5 * time.Second, Timeout: 2 * time.Second, Rise: 2, Fall: 3, Failures: 3}
)

// court is a Monitor at work in a bubble, with backends A, B, C... whose probes
// are answered by a script.
type court struct {
	t        *testing.T
	monitor  *Monitor
	subjects []*Subject
	begin    time.Time

	mu     sync.Mutex
	answer map[any]func() error // to the next probe of an owner
	asked  map[any][]time.Duration
	told   []string
}

// inCourt lets story happen to n backends whose first probes have passed.
func inCourt(t *testing.T, n int, s configs.Health, story func(*testing.T, *court)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, s)
		for i := range n {
			c.add(string(rune('A' + i)))
		}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { c.monitor.Run(ctx) })
		defer running.Wait()
		defer cancel()
		synctest.Wait()
		story(t, c)
	})
}

func newCourt(t *testing.T, s configs.Health) *court {
	c := &court{t: t, begin: time.Now(), answer: map[any]func() error{}, asked: map[any][]time.Duration{}}
	c.monitor = NewMonitor(s, c.changed)
	c.monitor.chance = func() float64 { return 0.5 }
	c.monitor.question = func(target Target) func(context.Context) error {
		return func(context.Context) error { return c.probe(target.Owner) }
	}
	return c
}

// changed writes down "3s A up: why" or "3s A down cause: why".
func (c *court) changed(s *Subject, is State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := fmt.Sprintf("%s %s %s", time.Since(c.begin), s.Owner, is.Status)
	if is.Cause != CauseNone {
		line += " " + is.Cause.String()
	}
	c.told = append(c.told, line+": "+is.Why)
}

func (c *court) probe(owner any) error {
	c.mu.Lock()
	c.asked[owner] = append(c.asked[owner], time.Since(c.begin))
	answer := c.answer[owner]
	c.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer()
}

func (c *court) add(owner string) *Subject {
	s := c.monitor.Add(Target{Owner: owner})
	c.subjects = append(c.subjects, s)
	return s
}

// probes sets how probes of some backends end from now on.
func (c *court) probes(outcome error, owners ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, owner := range owners {
		c.answer[owner] = func() error { return outcome }
	}
}

// script lets f answer the probes of owner from now on, but for one probe after
// the other.
func (c *court) script(owner string, f func() error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer[owner] = f
}

// wait lets time pass, and everything happen that has its time then.
func (c *court) wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// hears checks what was told since the last call.
func (c *court) hears(want ...string) {
	c.t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	assert.Equal(c.t, want, c.told)
	c.told = nil
}

// asks returns when owner was asked since the last call.
func (c *court) asks(owner string) []time.Duration {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	defer delete(c.asked, owner)
	return c.asked[owner]
}

// forgets what was told and asked.
func (c *court) forgets() {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = nil
	clear(c.asked)
}

// unreachable lets n attempts at s get no connection.
func unreachable(s *Subject, n int) {
	for range n {
		s.Unreachable(errRefused)
	}
}

// client is the i-th of many that have nothing to do with one another and stand
// in places of their own.
func client(i int) netip.Addr {
	seen := map[uint8]bool{}
	for n := 0; ; n++ {
		addr := netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 1})
		if !seen[place(addr)] {
			seen[place(addr)] = true
			if len(seen) > i {
				return addr
			}
		}
	}
}

// answers lets the clients from first up to, not including, last be answered by s.
func answers(s *Subject, status, first, last int) {
	for i := first; i < last; i++ {
		s.Answer(status, client(i), time.Now())
	}
}
