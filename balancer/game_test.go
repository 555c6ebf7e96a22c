package balancer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// play is a random game in a bubble: after each move nobody may wait while a
// backend has room for him, and nobody be served before those who came earlier.
type play struct {
	*hall
	claims []*Backend
	last   int // who was served last
}

func FuzzNobodyWaitsWhileThereIsRoom(f *testing.F) {
	random := rand.New(rand.NewPCG(7, 8))
	for range 30 {
		moves := make([]byte, 300)
		for i := range moves {
			moves[i] = byte(random.Uint32())
		}
		f.Add(moves)
	}
	f.Fuzz(func(t *testing.T, moves []byte) {
		synctest.Test(t, func(t *testing.T) {
			h := newHall(t, Options{Limit: 6, Queue: 1000, SlowStart: time.Minute}, ranked(0, 0, 1, 1)...)
			g := &play{hall: h, last: -1}
			all := h.Backends()
			for _, move := range moves[:min(len(moves), 1000)] {
				g.move(all, move)
				g.check()
			}
			g.Stop()
			synctest.Wait()
		})
	})
}

// move does one thing: more often than not a request comes or a claim ends.
func (g *play) move(all []*Backend, move byte) {
	b, on := all[move>>4&3], move>>6&1 == 0
	switch move & 15 {
	case 0:
		g.SetUp(b, on, time.Now())
	case 1:
		g.SetDraining(b, on)
	case 2:
		g.SetWeight(b, int(move>>6))
	case 3:
		g.SetSuspect(b, on)
	case 4:
		g.Remove(b)
	case 5:
		g.Add(b, time.Now())
	case 6, 7, 8, 9:
		g.end(int(move >> 4))
	default:
		g.comes(time.Hour, time.Hour, all[:move>>6]...)
	}
}

// end releases one of the claims.
func (g *play) end(which int) {
	if len(g.claims) == 0 {
		return
	}
	which %= len(g.claims)
	b := g.claims[which]
	g.claims = slices.Delete(g.claims, which, which+1)
	g.Release(b)
}

func (g *play) check() {
	synctest.Wait()
	var served []int
	for len(g.ends) > 0 {
		e := <-g.ends
		assert.NoError(g.t, e.err)
		served = append(served, e.who)
		g.claims = append(g.claims, e.backend)
	}
	slices.Sort(served)
	for _, who := range served {
		assert.Equal(g.t, g.last+1, who, "nobody is served out of turn")
		g.last = who
	}
	assert.Equal(g.t, g.came-g.last-1, g.Waiting())
	if w := g.queue.head(); w != nil && slices.ContainsFunc(g.rotation.Load().members, func(b *Backend) bool { return slices.Contains(w.exclude, b) }) {
		assert.Nil(g.t, g.spare(w.exclude, g.room), "a spare has room for one who avoids others")
	}
	for _, b := range g.Backends() {
		assert.LessOrEqual(g.t, b.Claimed(), 6)
		if b.share.Load() > 0 && g.Waiting() > 0 {
			assert.True(g.t, b.full(g.room(b)), "%s has room, and %d wait", b.Addr, g.Waiting())
		}
	}
}
