package backend

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Places bounds the connections to all backends together, so that they never take the
// file descriptors that clients, checks and logs need. A connection has its place from
// before it is made until it is closed. Who finds no place free has one made free by a
// connection that is kept unused, or waits in line for one. The zero value and nil have no
// bound. It may be used by any number of goroutines.
type Places struct {
	spare func() bool // closes a connection that is kept unused, if there is one

	mu      sync.Mutex
	most    int // 0: no bound
	taken   int
	line    []chan struct{} // closed when a place is given to who waits there
	waiting atomic.Int64    // how many are in line
}

// errNoPlace is the gate's own want of file descriptors: it says nothing of a backend.
var errNoPlace = fmt.Errorf("as many connections to backends as the file descriptors allow are in use: %w", syscall.EMFILE)

// NewPlaces returns places without a bound. spare closes a connection that is kept unused,
// and reports whether there was one; any number of goroutines may call it.
func NewPlaces(spare func() bool) *Places { return &Places{spare: spare} }

// SetMost says how many places there are; 0 is any number. Who has one keeps it.
func (p *Places) SetMost(most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = most
}

// take gets a place, within a while.
func (p *Places) take(while time.Duration) error {
	if p == nil {
		return nil
	}
	turn, ok := p.stand()
	if ok {
		return nil
	}
	return p.await(turn, while)
}

// exchange gives a place up for the next one that somebody leaves, and with it a file
// descriptor. Nobody gets the one that is given up: it has none. With an error there is no
// place any more.
func (p *Places) exchange(while time.Duration) error {
	if p == nil {
		return errNoPlace
	}
	p.mu.Lock()
	p.taken--
	turn := p.joinLocked()
	p.mu.Unlock()
	return p.await(turn, while)
}

// await stays in line until it has a place, for a while.
func (p *Places) await(turn chan struct{}, while time.Duration) error {
	defer p.waiting.Add(-1)
	p.spare()
	timer := time.NewTimer(while)
	defer timer.Stop()
	select {
	case <-turn:
		return nil
	case <-timer.C:
	}
	if p.leave(turn) {
		return errNoPlace
	}
	return nil // it was given in the last moment
}

// stand takes a place that is free, or stands in line for one.
func (p *Places) stand() (turn chan struct{}, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.most == 0 || p.taken < p.most {
		p.taken++
		return nil, true
	}
	return p.joinLocked(), false
}

func (p *Places) joinLocked() (turn chan struct{}) {
	turn = make(chan struct{})
	p.line = append(p.line, turn)
	p.waiting.Add(1)
	return turn
}

// leave reports whether somebody was still in line.
func (p *Places) leave(turn chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.line, turn)
	if at < 0 {
		return false
	}
	p.line = slices.Delete(p.line, at, at+1)
	return true
}

// give gives a place back, to the first in line.
func (p *Places) give() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.line) > 0 && (p.most == 0 || p.taken <= p.most) {
		close(p.line[0])
		p.line = slices.Delete(p.line, 0, 1)
		return
	}
	p.taken--
}

// wanted reports whether somebody waits.
func (p *Places) wanted() bool { return p != nil && p.waiting.Load() > 0 }
