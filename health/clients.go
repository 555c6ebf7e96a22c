package health

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"sync/atomic"
)

// windowWords is the size of a set of clients: 256 places are plenty to tell
// eight clients from one, and a set that is nearly full counts for nothing.
const windowWords = 4

// clientSet is a set of clients, each by one bit. Any goroutine may add to it.
type clientSet [windowWords]atomic.Uint64

// add says whether the place was new. A place that is taken is only read, so
// that the cores do not fight for the line.
func (c *clientSet) add(place uint8) bool {
	word, bit := &c[place/64], uint64(1)<<(place%64)
	return word.Load()&bit == 0 && word.Or(bit)&bit == 0
}

func (c *clientSet) clear() {
	for i := range c {
		c[i].Store(0)
	}
}

// place is where a client stands in a set. Who has one address easily has
// others beside it: an IPv4 /24 or an IPv6 /48, which is what
// one site is given (RFC 6177), is one client.
func place(client netip.Addr) uint8 {
	var network uint64
	if client.Is4() {
		a := client.As4()
		network = uint64(binary.BigEndian.Uint32(a[:])) >> 8
	} else {
		network = network6(client)
	}
	const golden = 0x9e3779b97f4a7c15 // spreads neighbours over the places
	return uint8(network * golden >> 56)
}

// network6 is the /48 of an IPv6 address, and the /24 of an IPv4 address that is
// written as one (RFC 4291, section 2.5.5.2).
func network6(client netip.Addr) uint64 {
	var a [40]byte // with the name of a zone, if there is one
	if b, _ := client.AppendBinary(a[:0]); len(b) < 16 {
		return 0 // no address at all
	}
	if client.Is4In6() {
		return uint64(binary.BigEndian.Uint32(a[12:16])) >> 8
	}
	return binary.BigEndian.Uint64(a[:8]) >> 16
}

// window is who was answered in the time that is looked at, by one backend.
type window struct {
	failed clientSet // got a 5xx
	served clientSet // got anything else
}

// clear begins a new window.
func (w *window) clear() { w.failed.clear(); w.served.clear() }

// crowd is the clients of one or several windows at one moment.
type crowd struct{ failed, served [windowWords]uint64 }

func (c *crowd) join(w *window) {
	for i := range windowWords {
		c.failed[i] |= w.failed[i].Load()
		c.served[i] |= w.served[i].Load()
	}
}

// turnout is how many clients were answered, and how.
type turnout struct{ failed, served, all int }

func (c *crowd) turnout() (t turnout) {
	for i := range windowWords {
		t.failed += bits.OnesCount64(c.failed[i])
		t.served += bits.OnesCount64(c.served[i])
		t.all += bits.OnesCount64(c.failed[i] | c.served[i])
	}
	return t
}

const (
	minFailed = 8                        // clients that have to get a 5xx
	maxServed = windowWords * 64 * 3 / 4 // beyond, a set is too full to count
)

// stands says whether a backend fails that many clients that it must be at fault,
// when others serve theirs. One client that knows how to provoke a 5xx is one.
func (t turnout) stands(others turnout) bool {
	return t.failed >= minFailed && t.served <= maxServed && t.failed >= t.served && 5*others.failed < others.all
}
