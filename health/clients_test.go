package health

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestABackendThatFailsManyClientsAloneIsAtFault(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		answers(c.subjects[1], 200, 0, 40)
		answers(c.subjects[2], 200, 20, 40)
		answers(c.subjects[2], 503, 3, 4)
		answers(c.subjects[0], 200, 0, 2)
		answers(c.subjects[0], 500, 10, 17)
		c.hears()
		answers(c.subjects[0], 500, 17, 18)
		c.hears("0s A down errors: 8 of 10 clients got a 5xx, of the other backends 1 of 40; back in 3s")
		c.wait(3 * time.Second)
		c.hears("3s A up: the pause of 3s is over")
		answers(c.subjects[0], 500, 10, 11)
		c.wait(3 * time.Second)
		c.hears() // what was before the pause does not count
	})
}

// Tracardi answers some requests with 500 whatever state it is in. Who knows them
// must be able to switch off neither the pool nor the backend he likes least.
func TestOneClientThatProvokesErrorsEjectsNobody(t *testing.T) {
	for name, who := range map[string]func(i int) netip.Addr{
		"one address": func(int) netip.Addr { return netip.MustParseAddr("192.0.2.1") },
		"an IPv4 /24": func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) },
		"an IPv6 /48": func(i int) netip.Addr {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 0, 0, byte(i), byte(i >> 8)})
		},
		"both spellings of IPv4": func(i int) netip.Addr {
			addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			if i%2 == 0 {
				return netip.AddrFrom16(addr.As16())
			}
			return addr
		},
	} {
		t.Run(name, func(t *testing.T) {
			inCourt(t, 3, watched, func(t *testing.T, c *court) {
				answers(c.subjects[1], 200, 0, 100)
				answers(c.subjects[2], 200, 0, 100)
				for i := range 5000 {
					c.subjects[0].Answer(500, who(i), time.Now()) // all at the same one
				}
				c.wait(windowLength)
				for i := range 5000 {
					c.subjects[i%3].Answer(500, who(i), time.Now()) // at all of them
				}
				c.hears()
			})
		})
	}
}

func TestWhenErrorsCondemn(t *testing.T) {
	for _, row := range []struct {
		story       string
		own, others turnout
		want        bool
	}{
		{"clear as day", turnout{20, 0, 20}, turnout{0, 60, 60}, true},
		{"just enough clients", turnout{8, 8, 16}, turnout{1, 5, 6}, true},
		{"too few clients", turnout{7, 0, 7}, turnout{0, 60, 60}, false},
		{"more were served", turnout{8, 9, 17}, turnout{0, 60, 60}, false},
		{"a fifth fails elsewhere too", turnout{20, 0, 20}, turnout{2, 9, 10}, false},
		{"all fail everywhere", turnout{99, 0, 99}, turnout{99, 0, 99}, false},
		{"nobody to compare with", turnout{20, 0, 20}, turnout{}, false},
		{"still countable", turnout{200, 192, 250}, turnout{0, 60, 60}, true},
		{"too many to tell", turnout{200, 193, 250}, turnout{0, 60, 60}, false},
	} {
		assert.Equal(t, row.want, row.own.stands(row.others), row.story)
	}
}

func TestErrorsThatAllBackendsHaveEjectNobody(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		for i := range 300 {
			c.subjects[i%3].Answer(500, client(i%100), time.Now()) // the database is gone
		}
		c.hears()
	})
}

func TestOnlyBackendsThatAreUpAreCompared(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		answers(c.subjects[1], 500, 0, 20)
		c.hears() // there is nobody to be compared with
		answers(c.subjects[2], 200, 0, 20)
		answers(c.subjects[1], 500, 20, 21)
		c.hears("0s B down errors: 21 of 21 clients got a 5xx, of the other backends 0 of 20; back in 3s")
	})
	inCourt(t, 5, watched, func(t *testing.T, c *court) {
		answers(c.subjects[1], 500, 0, 30)
		unreachable(c.subjects[1], 3)
		answers(c.subjects[2], 200, 0, 20)
		c.forgets()
		answers(c.subjects[0], 500, 0, 8)
		c.hears("0s A down errors: 8 of 8 clients got a 5xx, of the other backends 0 of 20; back in 3s")
	})
}

func TestWhatClientsDoWrongIsNoError(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		answers(c.subjects[1], 200, 0, 100)
		for status := 400; status < 500; status++ {
			answers(c.subjects[0], status, 0, 20)
		}
		c.hears()
	})
}

func TestErrorsOfDifferentWindowsDoNotAddUp(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		for range 5 {
			answers(c.subjects[1], 200, 0, 40)
			answers(c.subjects[0], 500, 0, 7)
			c.wait(windowLength)
			answers(c.subjects[1], 200, 0, 40)
			answers(c.subjects[0], 500, 7, 14)
			c.wait(windowLength)
		}
		c.hears()
	})
}

func TestErrorsWaitUntilABackendHasBeenUpForLongEnough(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		unreachable(c.subjects[0], 3)
		c.wait(4 * time.Second)
		c.forgets()
		answers(c.subjects[1], 200, 0, 40)
		answers(c.subjects[0], 500, 0, 8)
		c.hears()
		c.wait(2 * time.Second)
		c.hears("6s A down errors: 8 of 8 clients got a 5xx, of the other backends 0 of 40; back in 6s")
	})
}

func TestClientsSpreadOverThePlaces(t *testing.T) {
	var set clientSet
	fresh := 0
	for i := range 256 {
		if set.add(place(netip.AddrFrom4([4]byte{10, 0, byte(i), 1}))) {
			fresh++
		}
	}
	assert.Greater(t, fresh, 128, "neighbouring networks stand in different places")
	fresh = 0
	for i := range 256 {
		if set.add(uint8(i)) {
			fresh++
		}
	}
	assert.Less(t, fresh, 128)
	assert.False(t, set.add(255))
	set.clear()
	assert.True(t, set.add(255))
}

func TestClientsOfNoAddressAreOne(t *testing.T) {
	assert.Equal(t, place(netip.Addr{}), place(netip.IPv6Unspecified()))
}
