package balancer

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// settled says that a pool that nobody uses any more is at rest.
func settled(t *testing.T, p *Pool, left ...*Backend) {
	t.Helper()
	assert.Zero(t, p.Waiting())
	assert.Zero(t, p.queue.waiting.Load())
	for _, b := range append(left, p.Backends()...) {
		assert.Zero(t, b.Claimed(), b.Addr)
	}
}

// serveMany lets workers claim and release, each a number of times.
func serveMany(p *Pool, workers, rounds int, await func(tried []*Backend) (*Backend, error), check func(*Backend, error)) {
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			var tried []*Backend
			for i := range rounds {
				b, err := await(tried)
				check(b, err)
				tried = nil
				if err == nil {
					runtime.Gosched() // let the others find it taken
					p.Release(b)
					if i%3 == 0 {
						tried = []*Backend{b}
					}
				}
			}
		})
	}
	all.Wait()
}

func TestTheLimitHoldsAmongMany(t *testing.T) {
	b := NewBackend("a", 1)
	var all, ready sync.WaitGroup
	var over atomic.Int64
	ready.Add(4)
	for range 4 {
		all.Go(func() {
			ready.Done()
			ready.Wait()
			for range 200_000 {
				if b.claim(1) {
					over.Add(b.claimed.Load() - 1)
					b.claimed.Add(-1)
				}
			}
		})
	}
	all.Wait()
	assert.Zero(t, over.Load())
	assert.Zero(t, b.Claimed())
}

func TestNoWaiterIsForgotten(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 1, Queue: 100}, ring(2, equal)...)
		serveMany(p, 16, 1000,
			func(tried []*Backend) (*Backend, error) { return p.Await(tried, time.Minute, 0) },
			func(b *Backend, err error) { mayServe(t, b, err, 1) })
		settled(t, p)
	}
}

func mayServe(t *testing.T, b *Backend, err error, limit int) {
	if err != nil {
		t.Error(err)
	} else if b.Claimed() > limit {
		t.Error("more attempts than allowed")
	}
}

// upset changes a pool at random, until done is closed, and then lets everybody
// take work. It returns those who left.
func upset(p *Pool, done <-chan struct{}) (left []*Backend) {
	random := rand.New(rand.NewPCG(5, 6))
	first := p.Backends()
	for i := 0; ; i++ {
		select {
		case <-done:
			return left
		default:
		}
		b := first[random.IntN(len(first))]
		change(p, b, random)
		if i%10 == 0 {
			guest := NewBackend("guest", 1)
			p.Add(guest, then())
			change(p, b, random)
			p.Remove(guest)
			left = append(left, guest)
		}
		for _, b := range first {
			restore(p, b)
		}
		runtime.Gosched() // with one processor, the workers' turn
	}
}

// change does one thing to b, or takes everybody down.
func change(p *Pool, b *Backend, random *rand.Rand) {
	switch random.IntN(6) {
	case 0:
		p.SetUp(b, false, then())
	case 1:
		p.SetDraining(b, true)
	case 2:
		p.SetWeight(b, random.IntN(3))
	case 3:
		p.SetSuspect(b, true)
	case 4:
		p.Remove(b)
	case 5:
		for _, b := range p.Backends() {
			p.SetUp(b, false, then())
		}
	}
	p.Ramp(then().Add(time.Duration(random.IntN(100)) * time.Second))
}

// restore lets b take work.
func restore(p *Pool, b *Backend) {
	p.Add(b, then())
	p.SetUp(b, true, then())
	p.SetDraining(b, false)
	p.SetWeight(b, 1)
	p.SetSuspect(b, false)
}

func TestEverybodyIsServedWhileBackendsComeAndGo(t *testing.T) {
	const limit = 2
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: limit, Queue: 100, SlowStart: time.Minute}, ring(4, equal)...)
		done := make(chan struct{})
		var left []*Backend
		var upsetting sync.WaitGroup
		upsetting.Go(func() { left = upset(p, done) })
		serveMany(p, 16, 500,
			func(tried []*Backend) (*Backend, error) { return p.Await(tried, time.Minute, time.Minute) },
			func(b *Backend, err error) { mayServe(t, b, err, limit) })
		close(done)
		upsetting.Wait()
		settled(t, p, left...)
	}
}

func TestClaimsOfThoseWhoGiveUpAreNotLost(t *testing.T) {
	p := New(Options{Limit: 1, Queue: 100}, ring(2, equal)...)
	var mu sync.Mutex
	ends := map[error]int{}
	serveMany(p, 16, 1000,
		func(tried []*Backend) (*Backend, error) {
			return p.Await(tried, time.Duration(rand.IntN(20))*time.Microsecond, 0)
		},
		func(_ *Backend, err error) {
			mu.Lock()
			defer mu.Unlock()
			ends[err]++
		})
	settled(t, p)
	assert.Equal(t, 16*1000, ends[nil]+ends[ErrFull], "%v", ends)
	assert.Positive(t, ends[nil])
}

func TestStopRacesWithNothing(t *testing.T) {
	for range 50 {
		p := New(Options{Limit: 1, Queue: 100}, ring(1, equal)...)
		var stopping sync.WaitGroup
		stopping.Go(p.Stop)
		serveMany(p, 4, 20,
			func(tried []*Backend) (*Backend, error) { return p.Await(tried, time.Minute, 0) },
			func(_ *Backend, err error) {
				if err != nil && err != ErrStopped {
					t.Error(err)
				}
			})
		stopping.Wait()
		settled(t, p)
	}
}
