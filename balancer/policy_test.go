package balancer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// busy lets the backends of a pool have these claims.
func busy(p *Pool, claims ...int) {
	for i, n := range claims {
		p.Backends()[i].claimed.Store(int64(n))
	}
}

func TestTheLeastBusyBackendIsPicked(t *testing.T) {
	p := New(Options{Policy: LeastBusy}, ring(8, equal)...)
	busy(p, 5, 4, 3, 9, 2, 7, 6, 8)
	assert.Equal(t, "eeeeeeee", picks(p, 8))
	assert.Equal(t, "cccccccc", picks(p, 8, p.Backends()[4]))
	p.SetSuspect(p.Backends()[2], true)
	assert.Equal(t, "bbbbbbbb", picks(p, 8, p.Backends()[4]))
}

func TestClaimsCountInProportionToTheWeights(t *testing.T) {
	for _, policy := range []Policy{LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy}, weighted(10, 1)...)
		busy(p, 9, 1)
		assert.Equal(t, "aaaa", picks(p, 4), "9 of 10 is less than 1 of 1")
		busy(p, 11, 1)
		assert.Equal(t, "bbbb", picks(p, 4), "11 of 10 is more than 1 of 1")
		busy(p, 0, 0)
		fill(t, p, 110)
		assert.Equal(t, 100, p.Backends()[0].Claimed())
		assert.Equal(t, 10, p.Backends()[1].Claimed())
	}
}

func TestTheLeastBusyBackendThatIsNotFullIsPicked(t *testing.T) {
	for _, policy := range []Policy{LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 5}, weighted(10, 1, 1)...)
		busy(p, 5, 3, 1)
		counts := picks(p, 120)
		assert.NotContains(t, counts, "a")
		if policy == LeastBusy {
			assert.NotContains(t, counts, "b", "never by chance")
		}
	}
}

func TestEquallyBusyBackendsHaveTheirTurns(t *testing.T) {
	p := New(Options{Policy: LeastBusy}, weighted(5, 1, 1)...)
	assert.Equal(t, "aabacaaaabacaa", picks(p, 14))
	busy(p, 0, 1, 1)
	assert.Equal(t, "aaaaaaa", picks(p, 7))

	p = New(Options{Policy: LeastBusy}, ring(4, equal)...)
	busy(p, 0, 1, 0, 0)
	assert.Equal(t, "accdaccd", picks(p, 8), "the turn of the busy one goes to the next")
}

func TestTheMemoryFindsTheOneIdleBackendOfMany(t *testing.T) {
	p := New(Options{Policy: LeastBusy}, ring(1000, equal)...)
	for i, b := range p.Backends() {
		b.claimed.Store(10)
		if i == 700 {
			b.claimed.Store(0)
		}
	}
	idle := p.Backends()[700]
	for idle.Claimed() == 0 {
		fill(t, p, 1)
	}
	fill(t, p, 9)
	assert.Equal(t, 10, idle.Claimed(), "once seen it is not forgotten")
}

func TestTheMemoryHoldsNobodyWhoTakesNoWork(t *testing.T) {
	p := New(Options{Policy: LeastBusy}, ring(20, equal)...)
	for _, b := range p.Backends() {
		b.claimed.Store(10)
	}
	first := p.Backends()[0]
	first.claimed.Store(0)
	p.rotation.Load().memory.Store(first)
	p.SetSuspect(first, true)
	fill(t, p, 1)
	assert.NotEqual(t, "a", p.rotation.Load().memory.Load().Addr, "a suspect is forgotten, and not remembered anew in its turn")

	for range 2000 {
		b, err := p.Pick(nil)
		require.NoError(t, err)
		p.Release(b)
		require.NotEqual(t, "a", p.rotation.Load().memory.Load().Addr, "nor when it is met by chance")
	}

	last := p.Backends()[19]
	p.rotation.Load().memory.Store(last)
	last.claimed.Store(0)
	p.SetDraining(last, true)
	fill(t, p, 100)
	assert.Zero(t, last.Claimed())
}

func TestTheMemoryKnowsWhoIsAboutToGetBusier(t *testing.T) {
	p := New(Options{}, weighted(1, 2)...)
	a, b := p.Backends()[0], p.Backends()[1]
	busy(p, 1, 3)
	assert.True(t, a.lighter(b, nil))
	assert.True(t, a.lighter(b, b))
	assert.False(t, a.lighter(b, a), "2 of 1 is not less than 3 of 2")
	assert.True(t, b.lighter(a, a))
	assert.False(t, b.lighter(a, nil))
}

// crowd claims with some policy for backends that answer at random, as many at
// once as load for each, and returns the most that any had.
func crowd(t *testing.T, policy Policy, n, load int) (most int) {
	t.Helper()
	p, random := New(Options{Policy: policy}, ring(n, equal)...), rand.New(rand.NewPCG(1, 2))
	var claims []*Backend
	for range 100 * n {
		b, err := p.Pick(nil)
		require.NoError(t, err)
		claims = append(claims, b)
		most = max(most, b.Claimed())
		if len(claims) > load*n {
			i := random.IntN(len(claims))
			p.Release(claims[i])
			claims[i] = claims[len(claims)-1]
			claims = claims[:len(claims)-1]
		}
	}
	return most
}

func TestPoliciesThatLookAtClaimsSpreadThemBetter(t *testing.T) {
	turns, two, memory := crowd(t, RoundRobin, 200, 10), crowd(t, TwoChoices, 200, 10), crowd(t, LeastBusy, 200, 10)
	assert.Less(t, two, turns)
	assert.LessOrEqual(t, memory, two)
	assert.LessOrEqual(t, memory, 14)
	assert.LessOrEqual(t, crowd(t, LeastBusy, 8, 10), 11, "exact for as few as eight")
}

func TestTwoChoicesTakesTheBetterOfTwoDifferentBackends(t *testing.T) {
	p := New(Options{Policy: TwoChoices}, weighted(1000, 1)...)
	busy(p, 5000, 0)
	assert.Equal(t, strings.Repeat("b", 100), picks(p, 100), "the heavy one is never compared with itself")

	p = New(Options{Policy: TwoChoices}, ring(3, equal)...)
	busy(p, 0, 1, 2)
	counts := picks(p, 3000)
	assert.NotContains(t, counts, "c", "nobody is busier")
	assert.InDelta(t, 2000, strings.Count(counts, "a"), 100, "two of three pairs have it")
	assert.InDelta(t, 1000, strings.Count(counts, "b"), 100)
}

func TestTheSecondChoiceIsWeighted(t *testing.T) {
	p := New(Options{Policy: TwoChoices}, weighted(1, 1, 8)...)
	r, counts := p.rotation.Load(), map[string]int{}
	for turn := range uint64(9000) {
		counts[r.other(r.members[0], turn*10).Addr]++
	}
	assert.Zero(t, counts["a"])
	assert.InDelta(t, 7500, counts["c"], 200, "its 8 turns of 10, and of a's turn one third")
}

func TestASingleBackendIsPickedByEveryPolicy(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, Limit: 3}, ring(1, equal)...)
		assert.Equal(t, "aa", picks(p, 2))
		fill(t, p, 3)
		assert.Equal(t, "!", picks(p, 1))
	}
}

func TestScatteredCountsLookLikeChance(t *testing.T) {
	var buckets [10]int
	for n := range uint64(10_000) {
		buckets[scatter(n)%10]++
	}
	for i, n := range buckets {
		assert.InDelta(t, 1000, n, 150, i)
	}
}
