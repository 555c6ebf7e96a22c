package proxy

import "sync"

// work is what a goroutine of a crew does until it is done.
type work interface{ serve() }

// crew are goroutines that do one work after the other: one that has served has a
// stack of the size that serving needs, while a new goroutine's would have to be
// copied several times to get there. Who came to rest last works first, as its stack
// is still in the cache.
type crew struct {
	most    int // that rest at a time
	mu      sync.Mutex
	resting []*hand
	over    bool // nobody is needed any more
	all     sync.WaitGroup
}

// hand is one of a crew.
type hand struct {
	next chan work // holds one; nil sends home
}

func newCrew(most int) *crew { return &crew{most: most} }

// assign has w done, by one who rests or a new one. It does not wait.
func (c *crew) assign(w work) {
	c.mu.Lock()
	n := len(c.resting) - 1
	if n < 0 {
		c.mu.Unlock()
		c.all.Go(func() { c.attend(w) })
		return
	}
	h := c.resting[n]
	c.resting = c.resting[:n]
	c.mu.Unlock()
	h.next <- w
}

// attend does w and what comes after it.
func (c *crew) attend(w work) {
	h := &hand{next: make(chan work, 1)}
	for w != nil {
		w.serve()
		if !c.rest(h) {
			return
		}
		w = <-h.next
	}
}

// rest lets h rest until it is needed, if there are not enough of them.
func (c *crew) rest(h *hand) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || len(c.resting) >= c.most {
		return false
	}
	c.resting = append(c.resting, h)
	return true
}

// dismiss lets those that rest go, and waits for all of them. Nothing is assigned
// afterwards.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.over = true
	for _, h := range c.resting {
		h.next <- nil
	}
	c.resting = nil
	c.mu.Unlock()
	c.all.Wait()
}
