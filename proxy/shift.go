package proxy

import (
	"context"
	"sync"
	"time"

	"github.com/trackgate/trackgate/proxy/pool"
)

// firstLook is how long the gate waits for names that stand for backends. What is found
// later joins later.
const firstLook = 3 * time.Second

// retireInterval is how often it is looked whether a pool is done that takes nothing new.
const retireInterval = 50 * time.Millisecond

// shift are the pools at work: those of the current snapshot, and those of earlier ones
// that still have something to finish.
type shift struct {
	working sync.WaitGroup
	mu      sync.Mutex
	stops   map[*pool.Pool]context.CancelFunc
	over    chan struct{} // closed when the gate ends
	ended   bool          // and this is said
}

func newShift() *shift {
	return &shift{stops: map[*pool.Pool]context.CancelFunc{}, over: make(chan struct{})}
}

// start lets pools work, and waits until each knows its backends, so that the first
// requests find them, for a while or until ctx ends.
func (s *shift) start(ctx context.Context, pools []*pool.Pool) {
	var looking sync.WaitGroup
	found := make(chan struct{})
	if !s.begin(pools, &looking, found) {
		return
	}
	timer := time.NewTimer(firstLook)
	defer timer.Stop()
	select {
	case <-found:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// begin lets pools work, and closes found when each knows its backends. It does nothing,
// and says so, when the gate has ended.
func (s *shift) begin(pools []*pool.Pool, looking *sync.WaitGroup, found chan struct{}) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	for _, p := range pools {
		background, stop := context.WithCancel(context.Background())
		s.stops[p] = stop
		looking.Add(1)
		s.working.Go(func() { p.Run(background, looking.Done) })
	}
	s.working.Go(func() {
		looking.Wait()
		close(found)
	})
	return true
}

// retire ends the work of pools that get nothing new any more, once they have finished
// what they have, or after a while, or with the gate. after is called for each that is
// done.
func (s *shift) retire(pools []*pool.Pool, while time.Duration, after func(*pool.Pool)) {
	for _, p := range pools {
		s.working.Go(func() {
			s.finish(p, while)
			p.Close()
			s.stop(p)
			after(p)
		})
	}
}

// finish waits until nothing runs at p.
func (s *shift) finish(p *pool.Pool, while time.Duration) {
	late := time.NewTimer(while)
	defer late.Stop()
	look := time.NewTicker(retireInterval)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if p.Idle() {
				return
			}
		case <-late.C:
			return
		case <-s.over:
			return
		}
	}
}

// later does something after a while, unless the gate ends before.
func (s *shift) later(while time.Duration, do func()) {
	s.working.Go(func() {
		timer := time.NewTimer(while)
		defer timer.Stop()
		select {
		case <-timer.C:
			do()
		case <-s.over:
		}
	})
}

// stop ends the work of one pool at once.
func (s *shift) stop(p *pool.Pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stop := s.stops[p]; stop != nil {
		stop()
		delete(s.stops, p)
	}
}

// each calls f for all pools at work.
func (s *shift) each(f func(*pool.Pool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.stops {
		f(p)
	}
}

// end stops all pools and waits for them.
func (s *shift) end() {
	close(s.over)
	s.mu.Lock()
	s.ended = true
	for p, stop := range s.stops {
		stop()
		delete(s.stops, p)
	}
	s.mu.Unlock()
	s.working.Wait()
}
