package balancer

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAwaitIsPickWhenThereIsABackend(t *testing.T) {
	p := New(Options{Queue: 1}, ring(2, equal)...)
	for _, want := range []string{"a", "b", "a"} {
		b, err := p.Await(nil, 0, 0)
		require.NoError(t, err)
		assert.Equal(t, want, b.Addr)
	}
	b, err := p.Await(p.Backends()[1:], 0, 0)
	require.NoError(t, err)
	assert.Equal(t, "a", b.Addr)
}

func TestThePlaceOfAClaimThatEndsGoesToTheOldestThatWaits(t *testing.T) {
	inHall(t, Options{Queue: 10}, func(h *hall, a *Backend) {
		for range 4 {
			h.comes(time.Minute, 0)
		}
		assert.Equal(t, 4, h.Waiting())
		for i := range 4 {
			h.Release(a)
			assert.Equal(t, []int{i}, h.served())
			assert.Equal(t, 1, a.Claimed())
		}
		h.Release(a)
		assert.Zero(t, a.Claimed())
	})
}

func TestNobodyOvertakesThoseWhoWait(t *testing.T) {
	inHall(t, Options{Queue: 10}, func(h *hall, a *Backend) {
		h.comes(time.Minute, 0)
		a.claimed.Add(-1) // a place that nobody was told of
		h.comes(time.Minute, 0)
		assert.Equal(t, 2, h.Waiting())
		assert.Empty(t, h.served(), "the second could have it, but the first was first")
		h.SetSuspect(a, false)
		assert.Equal(t, []int{0}, h.served())
		h.Release(a)
		assert.Equal(t, []int{1}, h.served())
	})
}

func TestAPlaceThatGetsFreeOnTheWayIntoTheLineIsTaken(t *testing.T) {
	p := New(Options{Queue: 1}, ring(1, equal)...)
	w, b, err := p.lineUp(nil, time.Hour, 0)
	require.NoError(t, err)
	assert.Nil(t, w)
	assert.Same(t, p.Backends()[0], b)
	assert.Zero(t, p.queue.waiting.Load())
}

func TestAWaitEndsWhenItsTimeIsOver(t *testing.T) {
	for name, row := range map[string]struct {
		busy, none time.Duration
		up         bool
		want       error
		after      time.Duration
	}{
		"all full":                                          {5 * time.Second, 2 * time.Second, true, ErrFull, 5 * time.Second},
		"all full, and none is longer":                      {time.Second, 3 * time.Second, true, ErrFull, 3 * time.Second},
		"all full, and no wait for one up":                  {4 * time.Second, 0, true, ErrFull, 4 * time.Second},
		"all full, and no wait for a place, but for one up": {0, 4 * time.Second, true, ErrFull, 4 * time.Second},
		"all full, and no wait at all":                      {0, 0, true, ErrFull, 0},
		"none up":                                           {5 * time.Second, 2 * time.Second, false, ErrNone, 2 * time.Second},
		"none up, and no wait for that":                     {5 * time.Second, 0, false, ErrNone, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inHall(t, Options{Queue: 1}, func(h *hall, a *Backend) {
				h.SetUp(a, row.up, time.Now())
				h.comes(row.busy, row.none)
				h.refused(row.want, row.after)
			})
		})
	}
}

func TestAWaitEndsAsThingsAreThen(t *testing.T) {
	inHall(t, Options{Queue: 9}, func(h *hall, a *Backend) {
		h.comes(5*time.Second, 2*time.Second)
		h.SetUp(a, false, time.Now())
		h.refused(ErrNone, 2*time.Second)

		h.comes(5*time.Second, 2*time.Second)
		h.SetUp(a, true, time.Now())
		h.refused(ErrFull, 5*time.Second)

		h.comes(5*time.Second, 2*time.Second)
		h.comes(5*time.Second, 4*time.Second)
		time.AfterFunc(3*time.Second, func() { h.SetUp(a, false, time.Now()) })
		h.refused(ErrNone, 3*time.Second)
		h.refused(ErrNone, 4*time.Second)
		h.SetUp(a, true, time.Now())

		h.comes(5*time.Second, 0)
		h.SetDraining(a, true)
		h.refused(ErrNone, 0)
		h.SetDraining(a, false)
	})
}

func TestWhoMayNotWaitIsRefusedAtOnce(t *testing.T) {
	inHall(t, Options{Queue: 2}, func(h *hall, a *Backend) {
		h.comes(time.Minute, time.Minute)
		h.comes(time.Minute, time.Minute)
		h.comes(time.Minute, time.Minute)
		h.refused(ErrFull, 0)
		h.SetUp(a, false, time.Now())
		h.comes(time.Minute, time.Minute)
		h.refused(ErrNone, 0)
		assert.Equal(t, 2, h.Waiting())
		h.refused(ErrNone, time.Minute)
		h.refused(ErrNone, time.Minute)
	})
	inHall(t, Options{}, func(h *hall, a *Backend) {
		h.comes(time.Minute, time.Minute)
		h.refused(ErrFull, 0)
		h.SetUp(a, false, time.Now())
		h.comes(time.Minute, time.Minute)
		h.refused(ErrNone, 0)
	})
}

func TestThoseWhoGaveUpAreNotServed(t *testing.T) {
	inHall(t, Options{Queue: 9}, func(h *hall, a *Backend) {
		h.comes(time.Minute, 0)
		h.comes(time.Second, 0)
		h.comes(time.Minute, 0)
		h.refused(ErrFull, time.Second)
		h.Release(a)
		h.Release(a)
		assert.Equal(t, []int{0, 2}, h.served())
	})
}

func TestWhateverMakesRoomServesThoseWhoWait(t *testing.T) {
	other := func() *Backend { return NewBackend("b", 1) }
	for name, makeRoom := range map[string]func(*Pool, *Backend){
		"up":           func(p *Pool, b *Backend) { p.SetUp(b, false, then()); p.Add(b, then()); p.SetUp(b, true, then()) },
		"not draining": func(p *Pool, b *Backend) { p.SetDraining(b, true); p.Add(b, then()); p.SetDraining(b, false) },
		"a weight":     func(p *Pool, b *Backend) { p.SetWeight(b, 0); p.Add(b, then()); p.SetWeight(b, 3) },
		"joined":       func(p *Pool, b *Backend) { p.Add(b, then()) },
		"a suspect":    func(p *Pool, b *Backend) { p.SetSuspect(b, true); p.Add(b, then()) },
	} {
		for _, up := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				inHall(t, Options{Queue: 9, SlowStart: time.Minute}, func(h *hall, a *Backend) {
					h.SetUp(a, up, time.Now())
					h.comes(time.Minute, time.Minute)
					b := other()
					makeRoom(h.Pool, b)
					assert.Equal(t, []int{0}, h.served())
					assert.Equal(t, 1, b.Claimed())
				})
			})
		}
	}
}

func TestABackendThatLeftServesNobodyWhoWaits(t *testing.T) {
	inHall(t, Options{Queue: 9}, func(h *hall, a *Backend) {
		h.comes(time.Minute, time.Second)
		h.Remove(a)
		h.Release(a)
		h.refused(ErrNone, time.Second)
		assert.Zero(t, a.Claimed())
	})
}

func TestWhoWaitsAvoidsBackendsAsWhoPicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Options{Queue: 9, Limit: 1}, ring(2, equal)...)
		a, b := h.Backends()[0], h.Backends()[1]
		fill(t, h.Pool, 2)
		exclude := []*Backend{a}
		h.comes(time.Minute, 0, exclude...)
		exclude[0] = b
		h.Release(a)
		assert.Equal(t, []int{0}, h.served(), "everybody else is full")
		assert.Equal(t, 1, a.Claimed())

		h.comes(time.Minute, 0, a)
		b.claimed.Add(-1) // a claim that is just being released
		h.Release(a)
		assert.Equal(t, []int{1}, h.served(), "there is another place")
		assert.Equal(t, 1, b.Claimed())
		assert.Equal(t, 0, a.Claimed())
		fill(t, h.Pool, 1)

		h.comes(time.Minute, 0, a)
		h.SetSuspect(b, true)
		h.Release(b)
		assert.Equal(t, []int{2}, h.served(), "a suspect goes before one that failed")
		assert.Equal(t, 1, b.Claimed())
		h.empty()
	})
}

func TestStopEndsAllWaitsNowAndLater(t *testing.T) {
	inHall(t, Options{Queue: 9}, func(h *hall, a *Backend) {
		h.comes(time.Minute, 0)
		h.comes(time.Minute, time.Minute)
		h.Stop()
		h.refused(ErrStopped, 0)
		h.refused(ErrStopped, 0)
		h.comes(time.Minute, 0)
		h.refused(ErrStopped, 0)
		h.comes(0, 0)
		h.refused(ErrFull, 0)

		h.Release(a)
		h.comes(time.Minute, 0)
		assert.Equal(t, []int{4}, h.served(), "who need not wait is served")
	})
}
