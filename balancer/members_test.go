package balancer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyBackendsThatTakeWorkArePicked(t *testing.T) {
	p := New(Options{}, append(ring(3, equal), NewBackend("idle", 0), NewBackend("odd", -1))...)
	a, b, c := p.Backends()[0], p.Backends()[1], p.Backends()[2]

	p.SetUp(b, false, then())
	assert.False(t, b.Up())
	assert.Equal(t, "acac", picks(p, 4))
	p.SetDraining(a, true)
	assert.True(t, a.Draining())
	assert.Equal(t, "cc", picks(p, 2))
	p.SetWeight(c, 0)
	assert.Equal(t, "--", picks(p, 2))
	p.SetUp(b, true, then())
	assert.Equal(t, "bb", picks(p, 2))
	p.SetDraining(a, false)
	p.SetWeight(c, 2)
	counts := picks(p, 4)
	assert.Equal(t, 2, strings.Count(counts, "c"), counts)
	assert.Equal(t, 1, strings.Count(counts, "a"), counts)
	p.SetWeight(c, -1)
	assert.Zero(t, c.Weight())
	assert.NotContains(t, picks(p, 4), "c")
}

func TestSayingItAgainPublishesNothing(t *testing.T) {
	p := New(Options{}, ring(2, equal)...)
	before, b := p.rotation.Load(), p.Backends()[0]
	p.SetUp(b, true, then())
	p.SetDraining(b, false)
	p.SetWeight(b, 1)
	p.Add(b, then())
	p.Remove(NewBackend("stranger", 1))
	assert.Same(t, before, p.rotation.Load())
}

func TestABackendThatJoinsIsPicked(t *testing.T) {
	p := New(Options{})
	assert.Empty(t, p.Backends())
	p.Add(NewBackend("a", 1), then())
	assert.Equal(t, "aa", picks(p, 2))
	p.Add(NewBackend("b", 1), then())
	assert.Equal(t, "abab", picks(p, 4))
}

func TestABackendThatLeftTakesNothingNewAndFinishesItsWork(t *testing.T) {
	p := New(Options{Limit: 1, Queue: 1}, ring(2, equal)...)
	a, b := p.Backends()[0], p.Backends()[1]
	fill(t, p, 2)
	p.Remove(a)
	assert.Equal(t, []*Backend{b}, p.Backends())
	assert.Equal(t, 1, a.Claimed())
	assert.Equal(t, 1, p.Running(), "it is nobody's any more")

	p.Release(a)
	assert.Zero(t, a.Claimed())
	assert.Equal(t, "!", picks(p, 1))
	p.Release(b)
	assert.Equal(t, "bb", picks(p, 2))
	p.SetUp(a, false, then())
	p.SetUp(a, true, then())
	p.SetWeight(a, 7)
	assert.Equal(t, "bb", picks(p, 2), "what is said of it does not bring it back")
	p.Add(a, then())
	assert.Contains(t, picks(p, 8), "a", "but it may join again")
}

func TestTheListOfBackendsNeverChanges(t *testing.T) {
	given := ring(3, equal)
	p := New(Options{}, given...)
	a, b, c, d, e := given[0], given[1], given[2], NewBackend("d", 1), NewBackend("e", 1)
	given[0] = nil
	first := p.Backends()
	p.Add(d, then())
	second := p.Backends()
	p.Remove(b)
	third := p.Backends()
	p.Add(e, then())
	assert.Equal(t, []*Backend{a, b, c}, first)
	assert.Equal(t, []*Backend{a, b, c, d}, second)
	assert.Equal(t, []*Backend{a, c, d}, third)
	assert.Equal(t, []*Backend{a, c, d, e}, p.Backends())
}

// ranked returns backends a, b, c and so on of these priorities.
func ranked(priorities ...int) []*Backend {
	all := ring(len(priorities), equal)
	for i, b := range all {
		b.Priority = priorities[i]
	}
	return all
}

func TestOnlyTheLowestPriorityThatTakesWorkIsAsked(t *testing.T) {
	p := New(Options{Limit: 1}, ranked(20, 10, 10, 0)...)
	a, b, c, d := p.Backends()[0], p.Backends()[1], p.Backends()[2], p.Backends()[3]
	assert.Equal(t, "dd", picks(p, 2))
	require.True(t, d.claim(1))
	assert.Equal(t, "!", picks(p, 1), "full is not out of work")
	p.Release(d)

	p.SetUp(d, false, then())
	assert.Equal(t, "cbcb", picks(p, 4))
	p.SetDraining(b, true)
	assert.Equal(t, "cc", picks(p, 2))
	p.SetWeight(c, 0)
	assert.Equal(t, "aa", picks(p, 2))
	p.Remove(a)
	assert.Equal(t, "-", picks(p, 1))
	p.SetUp(d, true, then())
	assert.Equal(t, "dd", picks(p, 2))
	p.Add(ranked(-1)[0], then())
	assert.Equal(t, "aa", picks(p, 2))
}

func TestAnAvoidedBackendOfALaterPriorityIsNotAsked(t *testing.T) {
	p := New(Options{Limit: 1}, ranked(0, 1)...)
	fill(t, p, 1)
	assert.Equal(t, "!", picks(p, 1, p.Backends()[1]))
}
