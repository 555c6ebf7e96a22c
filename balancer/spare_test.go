package balancer

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASpareGoesBeforeABackendThatIsAvoided(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 1}, ranked(0, 0, 1)...)
		a, b, c := p.Backends()[0], p.Backends()[1], p.Backends()[2]
		assert.Equal(t, "bbbb", picks(p, 4, a), "not while a primary can take the work")
		p.SetSuspect(b, true)
		assert.Equal(t, "bb", picks(p, 2, a), "even a suspect")
		assert.Equal(t, "cccc", picks(p, 4, a, b))
		require.True(t, b.claim(1))
		assert.Equal(t, "cc", picks(p, 2, a), "the other one is full")
		assert.NotContains(t, picks(p, 10), "c", "without a reason it stays idle")
		assert.NotContains(t, picks(p, 10, a, b, c), "c", "it failed as well")
	}
}

func TestOnlyASpareThatCanTakeWorkIsASpare(t *testing.T) {
	p := New(Options{Limit: 1}, ranked(0, 1)...)
	a, b := p.Backends()[0], p.Backends()[1]
	for name, row := range map[string]struct{ spoil, mend func() }{
		"down":      {func() { p.SetUp(b, false, then()) }, func() { p.SetUp(b, true, then()) }},
		"draining":  {func() { p.SetDraining(b, true) }, func() { p.SetDraining(b, false) }},
		"no weight": {func() { p.SetWeight(b, 0) }, func() { p.SetWeight(b, 1) }},
		"suspect":   {func() { p.SetSuspect(b, true) }, func() { p.SetSuspect(b, false) }},
		"full":      {func() { b.claim(1) }, func() { p.Release(b) }},
		"gone":      {func() { p.Remove(b) }, func() { p.Add(b, then()) }},
	} {
		row.spoil()
		assert.Equal(t, "aa", picks(p, 2, a), name)
		assert.False(t, p.CanTake([]*Backend{a}), name)
		row.mend()
		assert.Equal(t, "bb", picks(p, 2, a), name)
	}
}

func TestTheSpareOfTheLowestPriorityGoesFirst(t *testing.T) {
	p := New(Options{Limit: 1}, ranked(30, 20, 0, 20)...)
	primary := p.Backends()[2]
	var order strings.Builder
	for range 3 {
		b, err := p.Pick([]*Backend{primary})
		require.NoError(t, err)
		order.WriteString(b.Addr)
	}
	assert.Contains(t, []string{"bda", "dba"}, order.String())
	assert.Equal(t, "cc", picks(p, 2, primary), "nobody else is left")
}

func TestSparesShareTheWork(t *testing.T) {
	p := New(Options{}, ranked(0, 1, 1, 1)...)
	a, d := p.Backends()[0], p.Backends()[3]
	counts := picks(p, 300, a)
	for _, addr := range []string{"b", "c", "d"} {
		assert.Greater(t, strings.Count(counts, addr), 50, "when nothing runs, by chance")
	}
	p.SetWeight(d, 8)
	for range 100 {
		_, err := p.Pick([]*Backend{a})
		require.NoError(t, err)
	}
	assert.Equal(t, 80, d.Claimed(), "by their weights when they are at work")
}

func TestThereIsNoSpareWithoutARotation(t *testing.T) {
	p := New(Options{}, ranked(0, 1)...)
	a, b := p.Backends()[0], p.Backends()[1]
	p.SetUp(a, false, then())
	assert.Equal(t, "bb", picks(p, 2, a), "no spare any more, but the one that does the work")
	p.SetUp(b, false, then())
	assert.Equal(t, "--", picks(p, 2, a, b))
	assert.False(t, p.CanTake(nil))
}

// CanTake must say beforehand what a Pick will be like, whatever the pool is.
func TestCanTakeSaysWhatAPickWouldGet(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 9))
	said := map[bool]int{}
	for range 3000 {
		p := New(Options{Policy: Policy(random.IntN(3)), Limit: 1}, ranked(0, 0, random.IntN(2), 1, 2)[:random.IntN(6)]...)
		var exclude []*Backend
		for _, b := range p.Backends() {
			p.SetUp(b, random.IntN(4) > 0, then())
			p.SetDraining(b, random.IntN(6) == 0)
			p.SetWeight(b, random.IntN(4))
			p.SetSuspect(b, random.IntN(4) == 0)
			b.claimed.Store(int64(random.IntN(2)))
			if random.IntN(2) == 0 {
				exclude = append(exclude, b)
			}
		}
		can := p.CanTake(exclude)
		said[can]++
		b, err := p.Pick(exclude)
		require.Equal(t, err == nil && !slices.Contains(exclude, b), can)
	}
	assert.Greater(t, min(said[true], said[false]), 500, "%v", said)
}

func TestASpareThatGetsRoomServesWhoWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Options{Limit: 1, Queue: 9}, ranked(0, 1)...)
		a, b := h.Backends()[0], h.Backends()[1]
		fill(t, h.Pool, 1)
		require.True(t, b.claim(1))
		h.comes(time.Minute, 0, a)
		h.comes(time.Minute, 0)
		h.Release(b)
		assert.Equal(t, []int{0}, h.served())
		h.Release(b)
		assert.Empty(t, h.served(), "the second did not see that the first backend is gone")
		h.Release(a)
		assert.Equal(t, []int{1}, h.served())
		h.empty()
	})
}

func TestASpareServesOneWhoStoodBehindOneThatMayNotHaveIt(t *testing.T) {
	for name, row := range map[string]struct {
		patience time.Duration
		first    func(*hall)
	}{
		"who was served": {time.Minute, func(h *hall) { h.Release(h.Backends()[0]) }},
		"who gave up":    {time.Second, func(*hall) { <-time.After(2 * time.Second) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t, Options{Limit: 1, Queue: 9}, ranked(0, 1)...)
				a, b := h.Backends()[0], h.Backends()[1]
				fill(t, h.Pool, 1)
				h.comes(row.patience, 0)
				h.comes(time.Hour, 0, a)
				assert.Equal(t, 2, h.Waiting(), "nobody is overtaken")
				row.first(h)
				synctest.Wait()
				assert.Equal(t, 1, b.Claimed())
				assert.Zero(t, h.Waiting())
			})
		})
	}
}

// crowded returns a pool of n primaries and as many spares.
func crowded(n int) *Pool {
	p := New(Options{Limit: 100, Queue: 1})
	for i := range 2 * n {
		b := NewBackend("x", 1)
		b.Priority = i / n
		p.Add(b, then())
	}
	return p
}

func TestAvoidingDozensAllocatesNothing(t *testing.T) {
	p := crowded(40)
	exclude := slices.Clone(p.Backends()[:48])
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		b, err := p.Await(exclude, 0, 0)
		if err != nil || slices.Contains(exclude, b) || !p.CanTake(exclude) {
			t.Error(b.Addr, err)
		}
		p.Release(b)
	}))
}

func BenchmarkPickSpare(b *testing.B) {
	p := crowded(40)
	exclude := slices.Clone(p.Backends()[:48])
	for b.Loop() {
		picked, _ := p.Await(exclude, 0, 0)
		p.Release(picked)
	}
}
