package health

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/configs"
)

func TestAnAnswerCostsNoMemory(t *testing.T) {
	m := NewMonitor(watched, func(*Subject, State) { t.Error("nothing has changed") })
	s := m.Add(Target{})
	m.Add(Target{})
	four, six := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("fe80::7%eth0.100")
	at := time.Now()
	for status, who := range map[int]netip.Addr{200: four, 404: six, 500: four} {
		assert.Zero(t, testing.AllocsPerRun(1000, func() {
			at = at.Add(time.Second)
			s.Answer(status, who, at)
		}))
	}
	i := 0
	assert.Zero(t, testing.AllocsPerRun(1000, func() { // many that fail, but nobody to compare with
		i++
		s.Answer(500, netip.AddrFrom4([4]byte{byte(i >> 8), byte(i), 0, 1}), at)
	}))
}

// Whoever runs this test holds the monitor's lock: an answer must not want it.
func TestAnAnswerTakesNoLock(t *testing.T) {
	m := NewMonitor(watched, nil)
	s := m.Add(Target{})
	s.Answer(500, client(0), time.Now())
	m.mu.Lock()
	defer m.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		answers(s, 200, 0, 20)
		s.Answer(500, client(0), time.Now())
		_ = s.State()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		assert.Fail(t, "an answer waits for a lock")
	}
}

// TestEverythingAtOnce is for the race detector, and for locks that never open.
func TestEverythingAtOnce(t *testing.T) {
	s := configs.Health{Path: "/", Status: []int{200}, Interval: time.Millisecond, Timeout: time.Second, Rise: 1, Fall: 1, Failures: 3}
	told := map[*Subject]State{}
	m := NewMonitor(s, func(s *Subject, is State) { told[s] = is }) // which the monitor's lock protects
	m.question = func(Target) func(context.Context) error {
		return func(context.Context) error {
			if rand.IntN(3) == 0 {
				return errIll
			}
			return nil
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running, busy sync.WaitGroup
	running.Go(func() { m.Run(ctx) })
	stays := []*Subject{m.Add(Target{}), m.Add(Target{}), m.Add(Target{})}
	for range 4 {
		busy.Go(func() {
			for i := range 500 {
				comes := m.Add(Target{Owner: i})
				for _, s := range append(stays, comes) {
					s.Answer(200+rand.IntN(2)*300, client(rand.IntN(20)), time.Now())
					unreachable(s, rand.IntN(4))
					s.Late(time.Now())
					_ = s.State()
				}
				m.Remove(comes)
			}
		})
	}
	busy.Wait()
	cancel()
	running.Wait()
	assert.Len(t, m.subjects, 3)
	for _, s := range stays {
		if is, ok := told[s]; ok {
			assert.Equal(t, is.Status, s.State().Status)
		}
	}
}

// BenchmarkAnswer has an answer every twenty microseconds, as time goes here.
func BenchmarkAnswer(b *testing.B) {
	m := NewMonitor(watched, func(*Subject, State) {})
	s := m.Add(Target{})
	m.Add(Target{})
	at, four := time.Now(), netip.MustParseAddr("192.0.2.7")
	for name, who := range map[string]netip.Addr{"IPv4": four, "IPv6": netip.MustParseAddr("2001:db8::7")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				at = at.Add(20 * time.Microsecond)
				s.Answer(200, who, at)
			}
		})
	}
	b.Run("on all cores", func(b *testing.B) {
		b.RunParallel(func(p *testing.PB) {
			for at := at; p.Next(); at = at.Add(20 * time.Microsecond) {
				s.Answer(200, four, at)
			}
		})
	})
}
