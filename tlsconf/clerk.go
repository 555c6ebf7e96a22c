package tlsconf

import "sync"

// mostOrders is how many orders a gate has under way at once. They wait for authorities
// and zones most of the time; certmagic bounds how often one authority is asked.
const mostOrders = 100

// clerk does what there is to do for hosts: one job at a time for each, and one that waits.
type clerk struct {
	hands   chan struct{} // as many as may work at once
	working sync.WaitGroup
	mu      sync.Mutex
	waiting map[string]func() // by host that is busy: its next job, nil for none
}

func newClerk() *clerk {
	return &clerk{hands: make(chan struct{}, mostOrders), waiting: map[string]func(){}}
}

// give has job done for host, after the one that is done now. One that waits already gives
// way to it.
func (c *clerk) give(host string, job func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, busy := c.waiting[host]; busy {
		c.waiting[host] = job
		return
	}
	c.waiting[host] = nil
	c.working.Go(func() {
		for job := job; job != nil; job = c.next(host) {
			c.hands <- struct{}{}
			job()
			<-c.hands
		}
	})
}

// next returns what else there is to do for host, nil for nothing.
func (c *clerk) next(host string) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	job := c.waiting[host]
	if job == nil {
		delete(c.waiting, host)
		return nil
	}
	c.waiting[host] = nil
	return job
}

// busy reports whether something is done for host.
func (c *clerk) busy(host string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, busy := c.waiting[host]
	return busy
}

// wait returns when all that was given is done. Nothing may be given any more.
func (c *clerk) wait() { c.working.Wait() }
