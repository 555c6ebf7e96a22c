package balancer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// rush lets n requests wait for backends none of which is up.
func rush(t *testing.T, n int, o Options, backends ...*Backend) *hall {
	t.Helper()
	o.Queue = 1000
	h := newHall(t, o, backends...)
	for _, b := range backends {
		h.SetUp(b, false, time.Now())
	}
	for range n {
		h.comes(time.Hour, time.Hour)
	}
	return h
}

// serveAll releases claims until nobody waits.
func (h *hall) serveAll() {
	h.t.Helper()
	for h.Running() > 0 {
		for _, b := range h.Backends() {
			if b.Claimed() > 0 {
				h.Release(b)
			}
		}
	}
	h.served()
	h.empty()
}

func TestABackendThatComesBackToManyGetsAFewAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := rush(t, 200, Options{}, ring(1, equal)...)
		a := h.Backends()[0]
		h.SetUp(a, true, time.Now())
		assert.Equal(t, []int{0, 1, 2, 3}, h.served())
		for claims := 5; claims <= 16; claims++ {
			h.Release(a)
			assert.Len(t, h.served(), 2, "the place and one more")
			assert.Equal(t, claims, a.Claimed())
		}
		h.Release(a)
		assert.Len(t, h.served(), 1, "wide enough")
		assert.Equal(t, 16, a.Claimed())
		for range 31 {
			h.Release(a)
		}
		h.served()
		assert.Equal(t, 17, a.Claimed(), "twice as many releases as the window is wide make it grow still")
		h.serveAll()
	})
}

func TestTheWindowIsNeverWiderThanTheLimit(t *testing.T) {
	for _, limit := range []int{2, 6} {
		synctest.Test(t, func(t *testing.T) {
			h := rush(t, 50, Options{Limit: limit}, ring(2, equal)...)
			for _, b := range h.Backends() {
				h.SetUp(b, true, time.Now())
				assert.Len(t, h.served(), min(limit, 4))
			}
			for range 30 {
				for _, b := range h.Backends() {
					h.Release(b)
					assert.LessOrEqual(t, b.Claimed(), limit)
				}
			}
			assert.Len(t, h.served(), 50-2*min(limit, 4))
			h.serveAll()
		})
	}
}

func TestBackendsThatComeBackTogetherShareThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := rush(t, 100, Options{}, weighted(1, 9, 1)...)
		for _, b := range h.Backends() {
			h.SetUp(b, true, time.Now())
			assert.Equal(t, 4, b.Claimed(), "its weight only counts when nobody waits")
		}
		assert.Equal(t, 88, h.Waiting())
		h.served()
		h.serveAll()
	})
}

func TestABackendThatJoinsABusyPoolGetsAFewAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Options{Limit: 100, Queue: 1000}, ring(1, equal)...)
		fill(t, h.Pool, 100)
		for range 50 {
			h.comes(time.Hour, 0)
		}
		b := NewBackend("b", 1)
		h.Add(b, time.Now())
		assert.Len(t, h.served(), 4)
		assert.Equal(t, 4, b.Claimed())
		h.Release(h.Backends()[0])
		assert.Equal(t, []int{4}, h.served(), "the others' places are handed on one by one")
		assert.Equal(t, 100, h.Backends()[0].Claimed())
		h.serveAll()
	})
}

func TestClaimsFromBeforeDoNotFillTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Options{Queue: 1000}, ring(1, equal)...)
		a := h.Backends()[0]
		fill(t, h.Pool, 10)
		h.SetUp(a, false, time.Now())
		for range 50 {
			h.comes(time.Hour, time.Hour)
		}
		h.SetUp(a, true, time.Now())
		assert.Len(t, h.served(), 4)
		h.serveAll()
	})
}

func TestTheWindowIsGoneWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := rush(t, 4, Options{Limit: 50}, ring(1, equal)...)
		a := h.Backends()[0]
		h.SetUp(a, true, time.Now())
		assert.Len(t, h.served(), 4)
		fill(t, h.Pool, 46)
		for range 10 {
			h.comes(time.Hour, 0)
		}
		h.Release(a)
		assert.Equal(t, []int{4}, h.served(), "this line is not the one that the window was for")
		assert.Equal(t, 50, a.Claimed())
		h.serveAll()
	})
}

func TestABackendThatComesBackToNobodyHasNoWindow(t *testing.T) {
	p := New(Options{Queue: 1000}, ring(1, equal)...)
	p.SetUp(p.Backends()[0], false, then())
	p.SetUp(p.Backends()[0], true, then())
	for range 500 {
		_, err := p.Await(nil, 0, 0)
		assert.NoError(t, err)
	}
}
