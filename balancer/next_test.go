package balancer

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever is named is who is picked then, however often it is asked before.
func TestNextIsWhoIsPicked(t *testing.T) {
	for _, policy := range []Policy{RoundRobin, LeastBusy, TwoChoices} {
		for _, n := range []int{1, 3, 20} {
			t.Run(fmt.Sprint(policy, n), func(t *testing.T) {
				p := New(Options{Policy: policy, Limit: 4}, ring(n, weights)...)
				for range 4 * n {
					next, err := p.Next()
					require.NoError(t, err)
					again, _ := p.Next()
					require.Same(t, next, again, "to ask changes nothing")
					got, err := p.Pick(nil)
					require.NoError(t, err)
					require.Same(t, next, got)
				}
				_, err := p.Next()
				assert.Equal(t, ErrFull, err)
			})
		}
	}
}

func weights(i int) int { return 1 + i%3 }

func TestNextClaimsNobody(t *testing.T) {
	p := New(Options{Policy: LeastBusy}, ring(20, equal)...)
	turn, memory := p.turn.Load(), p.rotation.Load().memory.Load()
	busy(p, 9, 9, 9, 9)
	for range 50 {
		_, err := p.Next()
		require.NoError(t, err)
	}
	assert.Equal(t, turn, p.turn.Load())
	assert.Same(t, memory, p.rotation.Load().memory.Load())
	assert.Equal(t, 36, p.Running())
}

func TestNextKnowsSuspectsSparesAndNobody(t *testing.T) {
	p := New(Options{Limit: 1}, ring(2, equal)...)
	a, b := p.Backends()[0], p.Backends()[1]
	p.SetSuspect(a, true)
	next, _ := p.Next()
	assert.Same(t, b, next)
	busy(p, 0, 1)
	next, _ = p.Next()
	assert.Same(t, a, next, "rather than nobody")
	assert.True(t, p.Full(b))
	assert.False(t, p.Full(a))

	spare := NewBackend("s", 1)
	spare.Priority = 1
	p.Add(spare, time.Time{})
	assert.True(t, spare.Spare())
	assert.False(t, a.Spare())
	for _, one := range p.Backends() {
		p.SetDraining(one, true)
	}
	_, err := p.Next()
	assert.Equal(t, ErrNone, err)
	assert.False(t, spare.Spare())
}
