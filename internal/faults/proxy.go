package faults

import (
	"net"
	"sync"
	"testing"
)

// Proxy passes connections on to one backend, or does what its mode says. Its
// methods can be called at any time from any goroutine, and after the test's end
// do nothing.
type Proxy struct {
	// Addr is where it listens, on loopback. The port stays its own while it
	// refuses.
	Addr string

	t       testing.TB
	backend string
	running sync.WaitGroup // the accepting and all links

	mu       sync.Mutex
	mode     Mode
	stopped  bool
	over     bool
	changed  chan struct{} // closed when mode or stopped change
	listener net.Listener  // nil while it refuses
	links    map[*link]struct{}
	made     int
}

// NewProxy listens in front of backend, a host:port, until the test ends. Then
// every connection is closed.
func NewProxy(t testing.TB, backend string) *Proxy {
	t.Helper()
	p := &Proxy{Addr: Address(t), t: t, backend: backend, changed: make(chan struct{}), links: map[*link]struct{}{}}
	p.Set(Pass())
	t.Cleanup(p.end)
	return p
}

// Set changes the mode. Silent connections do not come back with it: as with a
// host that was started anew, they are reset.
func (p *Proxy) Set(m Mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.mode = m
	for l := range p.links {
		p.disturb(l)
	}
	p.tell()
	if m.kind == refuse {
		p.shut()
	} else if p.listener == nil {
		p.listen()
	}
}

// Stop makes everything that passes wait, as when the process of a backend is
// stopped: the kernel accepts, nobody reads. What waits is not lost.
func (p *Proxy) Stop() { p.hold(true) }

// Resume lets go on what Stop has stopped.
func (p *Proxy) Resume() { p.hold(false) }

// Made returns how many connections were accepted so far.
func (p *Proxy) Made() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.made
}

// Open returns how many of them are not closed yet.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

func (p *Proxy) hold(stopped bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = stopped
	p.tell()
}

// disturb does at once to an open link what the new mode wants. p.mu is held.
func (p *Proxy) disturb(l *link) {
	switch {
	case p.mode.kind == halfOpen:
		l.silent = true
	case p.mode.kind == reset, l.silent:
		l.reset()
	}
}

// tell wakes whoever waits for a change. p.mu is held.
func (p *Proxy) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// listen begins to accept. p.mu is held.
func (p *Proxy) listen() {
	l, err := net.Listen("tcp", p.Addr)
	if err != nil {
		p.t.Errorf("faults: listen again: %v", err) // Set may run on any goroutine: no FailNow
		return
	}
	p.listener = l
	p.running.Go(func() { p.accept(l) })
}

func (p *Proxy) shut() {
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
}

func (p *Proxy) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return // closed by shut
		}
		p.running.Go(func() { p.serve(conn.(*net.TCPConn)) })
	}
}

func (p *Proxy) serve(client *net.TCPConn) {
	l := p.join(client)
	defer p.leave(l)
	l.run()
}

// join makes a connection a link. One that was accepted as the test ended is
// closed.
func (p *Proxy) join(client *net.TCPConn) *link {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := newLink(p, client)
	l.silent = p.mode.silences()
	p.links[l] = struct{}{}
	p.made++
	if p.over {
		l.close()
	}
	return l
}

func (p *Proxy) leave(l *link) {
	l.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// end closes everything and waits until nothing of the proxy runs any more.
func (p *Proxy) end() {
	p.mu.Lock()
	p.over = true
	p.shut()
	for l := range p.links {
		l.close()
	}
	p.mu.Unlock()
	p.running.Wait()
}
