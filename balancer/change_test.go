package balancer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAChangeIsMadeInOneGo(t *testing.T) {
	p := New(Options{SlowStart: 9 * time.Second}, ring(3, equal)...)
	a, b, c, d := p.Backends()[0], p.Backends()[1], p.Backends()[2], NewBackend("d", 10)
	p.Apply(Change{Join: []*Backend{d, d, a}, Leave: []*Backend{b}, Weights: map[*Backend]int{c: 2, d: 20, a: -1}}, then())
	assert.Equal(t, []*Backend{a, c, d}, p.Backends())
	assert.Equal(t, "cdcd", picks(p, 4), "a tenth of 20 is 2, and a has none")
	assert.Zero(t, a.Weight())
	assert.Equal(t, 20, d.Weight())
	assert.False(t, p.Ramp(then().Add(9*time.Second)), "it started at the time that was given")
}

func TestWhoLeavesAndJoinsInOneGoStartsAnew(t *testing.T) {
	p := New(Options{SlowStart: 9 * time.Second}, ring(2, equal)...)
	a, b := p.Backends()[0], p.Backends()[1]
	p.Apply(Change{Join: []*Backend{a}, Leave: []*Backend{a}}, then())
	assert.Equal(t, []*Backend{b, a}, p.Backends())
	assert.Equal(t, 9, portion(p, 11, "a"))
}

func TestAChangeOfNothingPublishesNothing(t *testing.T) {
	p := New(Options{}, ring(2, equal)...)
	before, members := p.rotation.Load(), p.Backends()
	p.Apply(Change{}, then())
	p.Apply(Change{
		Join: slices.Clone(members), Leave: []*Backend{NewBackend("stranger", 1)},
		Weights: map[*Backend]int{members[0]: 1, members[1]: 1},
	}, then())
	assert.Same(t, before, p.rotation.Load())
	assert.Equal(t, members, p.Backends())
}

func TestAChangeServesThoseWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Options{Limit: 1, Queue: 9}, weighted(1, 0)...)
		a, b := h.Backends()[0], h.Backends()[1]
		fill(t, h.Pool, 1)
		for range 3 {
			h.comes(time.Minute, 0)
		}
		c := NewBackend("c", 1)
		h.Apply(Change{Join: []*Backend{c}, Leave: []*Backend{a}, Weights: map[*Backend]int{b: 1}}, time.Now())
		assert.Equal(t, []int{0, 1}, h.served())
		h.Release(a)
		assert.Empty(t, h.served(), "it left")
		h.Release(c)
		assert.Equal(t, []int{2}, h.served())
	})
}

func TestNobodySeesAPartOfAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t, Options{Limit: 1, Queue: 9}, ring(1, equal)...)
		fill(t, h.Pool, 1)
		h.comes(time.Minute, 0) // but only while a backend is up
		h.comes(time.Minute, 0)
		next := ranked(1, 0)
		h.Apply(Change{Leave: h.Backends(), Join: next}, time.Now())
		assert.Equal(t, []int{0}, h.served(), "there never was a moment without backends")
		assert.Zero(t, next[0].Claimed(), "nor one in which the spare was the first")
		h.Release(next[1])
		assert.Equal(t, []int{1}, h.served())
	})
}

// However members change, it is the same as if they had one after the other.
func TestAChangeIsTheSumOfItsParts(t *testing.T) {
	random := rand.New(rand.NewPCG(10, 11))
	for range 300 {
		one, all := New(Options{SlowStart: time.Minute}, ring(5, equal)...), New(Options{SlowStart: time.Minute}, ring(5, equal)...)
		ones, alls := append(slices.Clone(one.Backends()), ring(3, equal)...), append(slices.Clone(all.Backends()), ring(3, equal)...)
		c := Change{Weights: map[*Backend]int{}}
		for _, i := range random.Perm(8) {
			if random.IntN(3) == 0 {
				one.Remove(ones[i])
				c.Leave = append(c.Leave, alls[i])
			}
		}
		for _, i := range random.Perm(8)[:random.IntN(9)] {
			weight := random.IntN(4)
			one.SetWeight(ones[i], weight)
			c.Weights[alls[i]] = weight
		}
		for _, i := range random.Perm(8)[:random.IntN(9)] {
			one.Add(ones[i], then())
			c.Join = append(c.Join, alls[i])
		}
		all.Apply(c, then())
		assert.Equal(t, addrs(one.Backends()), addrs(all.Backends()))
		assert.Equal(t, picks(one, 40), picks(all, 40))
	}
}

func addrs(backends []*Backend) (list []string) {
	for _, b := range backends {
		list = append(list, b.Addr)
	}
	return list
}

// arrival is a change by which n backends of as many weights join.
func arrival(n int) (c Change) {
	for i := range n {
		c.Join = append(c.Join, NewBackend("x", 1000+i*7919%64000))
	}
	return c
}

// BenchmarkApply must not be a thousand times BenchmarkPublish.
func BenchmarkApply(b *testing.B) {
	for b.Loop() {
		p := New(Options{SlowStart: 10 * time.Second})
		p.Apply(arrival(1000), then())
	}
}
