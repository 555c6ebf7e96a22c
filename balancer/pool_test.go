package balancer

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// then is a moment for those who need one.
func then() time.Time { return time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC) }

// ring returns n backends named a, b, c and so on.
func ring(n int, weight func(i int) int) []*Backend {
	var all []*Backend
	for i := range n {
		all = append(all, NewBackend(string(rune('a'+i)), weight(i)))
	}
	return all
}

func equal(int) int { return 1 }

// weighted returns a backend for each weight.
func weighted(weights ...int) []*Backend {
	return ring(len(weights), func(i int) int { return weights[i] })
}

// picks is the backends of n picks, released at once; "-" is none, "!" full.
func picks(p *Pool, n int, exclude ...*Backend) string {
	var s strings.Builder
	for range n {
		switch b, err := p.Pick(exclude); err {
		case nil:
			s.WriteString(b.Addr)
			p.Release(b)
		case ErrNone:
			s.WriteByte('-')
		case ErrFull:
			s.WriteByte('!')
		}
	}
	return s.String()
}

// fill claims n times.
func fill(t *testing.T, p *Pool, n int) {
	t.Helper()
	for range n {
		_, err := p.Pick(nil)
		require.NoError(t, err)
	}
}

func TestEveryBackendHasItsTurn(t *testing.T) {
	assert.Equal(t, "abcabc", picks(New(Options{}, ring(3, equal)...), 6))
	assert.Equal(t, "aabacaaaabacaa", picks(New(Options{}, weighted(10, 2, 2)...), 14))
}

func TestSharesAreExactlyTheWeights(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p, total, counts := New(Options{Policy: policy}, ring(20, func(i int) int { return 1 + i*i%17 })...), 0, map[*Backend]int{}
		for _, b := range p.Backends() {
			total += b.Weight()
		}
		picks(p, 5)
		for range 3 * total {
			b, err := p.Pick(nil)
			require.NoError(t, err)
			counts[b]++
			p.Release(b)
		}
		for _, b := range p.Backends() {
			assert.Equal(t, 3*b.Weight(), counts[b], "policy %d, backend %s", policy, b.Addr)
		}
	}
}

func TestSharesAreExactUnderLoad(t *testing.T) {
	const workers, rounds = 8, 700
	p := New(Options{}, weighted(5, 1, 1)...)
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
		assert.Equal(t, workers*rounds*want/7, p.Backends()[i].Claimed())
	}
	assert.Equal(t, workers*rounds, p.Running())
}

func TestAnEmptyPoolHasNone(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		_, err := New(Options{Policy: policy, Limit: 1}).Pick(nil)
		assert.Equal(t, ErrNone, err)
	}
}

func TestAnAttemptGoesToAnotherBackendIfThereIsOne(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 1}, ring(3, equal)...)
		a, b, c := p.Backends()[0], p.Backends()[1], p.Backends()[2]

		assert.NotContains(t, picks(p, 20, b), "b")
		assert.Equal(t, "aaaa", picks(p, 4, nil, b, c), "two are avoided")
		assert.NotContains(t, picks(p, 20, a, b, c), "!", "all are avoided, so any will do")
		p.SetUp(a, false, then())
		p.SetUp(c, false, then())
		assert.Equal(t, "bb", picks(p, 2, b), "nobody else is up")
		p.SetUp(a, true, then())
		require.True(t, a.claim(1))
		assert.Equal(t, "bb", picks(p, 2, b), "everybody else is full")
		require.True(t, b.claim(1))
		assert.Equal(t, "!", picks(p, 1, b))
		p.SetUp(b, false, then())
		assert.Equal(t, "!", picks(p, 1, b), "excluded and down is not excluded only")
		p.SetUp(a, false, then())
		assert.Equal(t, "-", picks(p, 1, b))
	}
}

func TestAnAvoidedBackendOfAnotherPoolIsNotAsked(t *testing.T) {
	p, stranger := New(Options{Limit: 1}, ring(1, equal)...), NewBackend("z", 1)
	New(Options{}, stranger)
	fill(t, p, 1)
	assert.Equal(t, "!", picks(p, 1, stranger))
}

func TestFullBackendsArePassedOver(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 2}, ring(3, equal)...)
		fill(t, p, 6)
		for _, b := range p.Backends() {
			assert.Equal(t, 2, b.Claimed())
		}
		assert.Equal(t, "!", picks(p, 1))

		p.Release(p.Backends()[1])
		assert.Equal(t, "bb", picks(p, 2))
		assert.Equal(t, 5, p.Running())
	}
}

func TestTheTurnsOfAFullBackendAreSharedByAll(t *testing.T) {
	p := New(Options{Limit: 1}, ring(3, equal)...)
	require.True(t, p.Backends()[2].claim(1))
	counts := picks(p, 100)
	assert.Equal(t, 50, strings.Count(counts, "a"))
	assert.Equal(t, 50, strings.Count(counts, "b"))
}

func TestTheLastFreeBackendOfManyIsFound(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 1}, ring(500, equal)...)
		for _, b := range p.Backends()[:499] {
			require.True(t, b.claim(1))
		}
		b, err := p.Pick(nil)
		require.NoError(t, err)
		assert.Same(t, p.Backends()[499], b)
		assert.Equal(t, "!", picks(p, 1))
	}
}

func TestASuspectIsPassedOverWhileAnotherCanTakeTheWork(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 1}, ring(3, equal)...)
		before, b, c := p.rotation.Load(), p.Backends()[1], p.Backends()[2]
		p.SetSuspect(b, true)
		assert.True(t, b.Suspect())
		assert.NotContains(t, picks(p, 20), "b")
		assert.Equal(t, "bb", picks(p, 2, p.Backends()[0], c), "it goes before those that failed")
		fill(t, p, 2)
		assert.Equal(t, "bb", picks(p, 2), "the others are full")
		assert.Equal(t, "bb", picks(p, 2, b), "and if it failed itself")

		p.SetSuspect(b, false)
		p.Release(p.Backends()[0])
		assert.Contains(t, picks(p, 20), "b")
		assert.Same(t, before, p.rotation.Load(), "nothing is published for it")
	}
}

func TestSuspectsShareTheWorkIfAllAre(t *testing.T) {
	for _, n := range []int{2, 3, 33} {
		p := New(Options{}, ring(n, equal)...)
		for _, b := range p.Backends() {
			p.SetSuspect(b, true)
		}
		fill(t, p, 100*n)
		for _, b := range p.Backends() {
			assert.InDelta(t, 100, b.Claimed(), 50, b.Addr)
		}
	}
}
