package balancer

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ring returns n backends named a, b, c and so on.
func ring(n int, weight func(i int) int) []*Backend {
	var all []*Backend
	for i := range n {
		all = append(all, NewBackend(string(rune('a'+i)), weight(i)))
	}
	return all
}

func equal(int) int { return 1 }

// picks is the backends of n picks, released at once; "-" is none, "!" full.
func picks(p *Pool, n int, exclude *Backend) string {
	var s strings.Builder
	for range n {
		switch b, err := p.Pick(exclude); err {
		case nil:
			s.WriteString(b.Addr)
			b.Release()
		case ErrNone:
			s.WriteByte('-')
		case ErrFull:
			s.WriteByte('!')
		}
	}
	return s.String()
}

func TestEveryBackendHasItsTurn(t *testing.T) {
	assert.Equal(t, "abcabc", picks(NewPool(ring(3, equal), 0), 6, nil))
	assert.Equal(t, "aabacaaaabacaa", picks(NewPool([]*Backend{NewBackend("a", 10), NewBackend("b", 2), NewBackend("c", 2)}, 0), 14, nil))
}

func TestSharesAreExactlyTheWeights(t *testing.T) {
	backends := ring(20, func(i int) int { return 1 + i*i%17 })
	p, total, counts := NewPool(backends, 0), 0, map[*Backend]int{}
	for _, b := range backends {
		total += b.Weight()
	}
	picks(p, 5, nil)
	for range 3 * total {
		b, err := p.Pick(nil)
		require.NoError(t, err)
		counts[b]++
		b.Release()
	}
	for _, b := range backends {
		assert.Equal(t, 3*b.Weight(), counts[b], b.Addr)
	}
}

func TestSharesAreExactUnderLoad(t *testing.T) {
	const workers, rounds = 8, 700
	backends := []*Backend{NewBackend("a", 5), NewBackend("b", 1), NewBackend("c", 1)}
	p := NewPool(backends, 0)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range rounds {
				_, err := p.Pick(nil)
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	for i, want := range []int{5, 1, 1} {
		assert.Equal(t, workers*rounds*want/7, backends[i].Claimed())
	}
}

func TestOnlyBackendsThatTakeWorkArePicked(t *testing.T) {
	p := NewPool(append(ring(3, equal), NewBackend("idle", 0), NewBackend("odd", -1)), 0)
	a, b, c := p.Backends()[0], p.Backends()[1], p.Backends()[2]

	p.SetUp(b, false)
	assert.Equal(t, "acac", picks(p, 4, nil))
	p.SetDraining(a, true)
	assert.Equal(t, "cc", picks(p, 2, nil))
	p.SetWeight(c, 0)
	assert.Equal(t, "--", picks(p, 2, nil))
	p.SetUp(b, true)
	assert.Equal(t, "bb", picks(p, 2, nil))
	p.SetDraining(a, false)
	p.SetWeight(c, 2)
	counts := picks(p, 4, nil)
	assert.Equal(t, 2, strings.Count(counts, "c"), counts)
	assert.Equal(t, 1, strings.Count(counts, "a"), counts)
}

func TestAnEmptyPoolHasNone(t *testing.T) {
	_, err := NewPool(nil, 1).Pick(nil)
	assert.ErrorIs(t, err, ErrNone)
}

func TestSayingItAgainPublishesNothing(t *testing.T) {
	p := NewPool(ring(2, equal), 0)
	before, b := p.rotation.Load(), p.Backends()[0]
	p.SetUp(b, true)
	p.SetDraining(b, false)
	p.SetWeight(b, 1)
	assert.Same(t, before, p.rotation.Load())
}

func TestAnAttemptGoesToAnotherBackendIfThereIsOne(t *testing.T) {
	p := NewPool(ring(3, equal), 1)
	a, b, c := p.Backends()[0], p.Backends()[1], p.Backends()[2]

	assert.NotContains(t, picks(p, 20, b), "b")
	p.SetUp(a, false)
	p.SetUp(c, false)
	assert.Equal(t, "bb", picks(p, 2, b), "nobody else is up")
	p.SetUp(a, true)
	require.True(t, a.claim(1))
	assert.Equal(t, "bb", picks(p, 2, b), "everybody else is full")
	require.True(t, b.claim(1))
	assert.Equal(t, "!", picks(p, 1, b))
	p.SetUp(b, false)
	assert.Equal(t, "!", picks(p, 1, b))
	p.SetUp(a, false)
	assert.Equal(t, "-", picks(p, 1, b), "excluded and down is not excluded only")
}

func TestFullBackendsArePassedOver(t *testing.T) {
	p := NewPool(ring(3, equal), 2)
	var claimed []*Backend
	for range 6 {
		b, err := p.Pick(nil)
		require.NoError(t, err)
		claimed = append(claimed, b)
	}
	for _, b := range p.Backends() {
		assert.Equal(t, 2, b.Claimed())
	}
	_, err := p.Pick(nil)
	assert.ErrorIs(t, err, ErrFull)

	claimed[1].Release()
	b, err := p.Pick(nil)
	require.NoError(t, err)
	assert.Same(t, claimed[1], b)
}

func TestTheTurnsOfAFullBackendAreSharedByAll(t *testing.T) {
	p := NewPool(ring(3, equal), 1)
	require.True(t, p.Backends()[2].claim(1))
	counts := picks(p, 100, nil)
	assert.Equal(t, 50, strings.Count(counts, "a"))
	assert.Equal(t, 50, strings.Count(counts, "b"))
}

func TestTheLastFreeBackendOfManyIsFound(t *testing.T) {
	p := NewPool(ring(500, equal), 1)
	for _, b := range p.Backends()[:499] {
		require.True(t, b.claim(1))
	}
	b, err := p.Pick(nil)
	require.NoError(t, err)
	assert.Same(t, p.Backends()[499], b)
	_, err = p.Pick(nil)
	assert.ErrorIs(t, err, ErrFull)
}

func TestLimitsHoldWhileBackendsComeAndGo(t *testing.T) {
	const limit, workers, rounds = 2, 8, 3000
	p := NewPool(ring(4, equal), limit)
	var all sync.WaitGroup
	var served atomic.Int64
	for w := range workers {
		all.Go(func() {
			for i := range rounds {
				b, err := p.Pick(p.Backends()[i%4])
				if err != nil {
					continue
				}
				if b.Claimed() > limit {
					t.Error("more attempts than allowed")
				}
				served.Add(1)
				b.Release()
				if w == 0 {
					p.SetUp(p.Backends()[i%3], i%2 == 0)
				}
			}
		})
	}
	all.Wait()
	assert.Positive(t, served.Load())
	for _, b := range p.Backends() {
		assert.Zero(t, b.Claimed())
	}
}

func TestPickAllocatesNothing(t *testing.T) {
	for _, limit := range []int{0, 1} {
		p := NewPool(ring(3, equal), limit)
		first := p.Backends()[0]
		assert.Zero(t, testing.AllocsPerRun(100, func() { picks2(p, first) }))
	}
	empty := NewPool(nil, 0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { picks2(empty, nil) }))
}

// picks2 is an exchange with a second attempt.
func picks2(p *Pool, exclude *Backend) {
	for _, e := range []*Backend{nil, exclude} {
		if b, err := p.Pick(e); err == nil {
			b.Release()
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{2, 1000} {
		p := NewPool(ring(n, equal), 100)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				picked, _ := p.Pick(nil)
				picked.Release()
			}
		})
		b.Run(fmt.Sprint(n, "-parallel"), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					picked, _ := p.Pick(nil)
					picked.Release()
				}
			})
		})
	}
}
