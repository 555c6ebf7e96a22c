package balancer

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// portion is the part of b in n picks, in percent.
func portion(p *Pool, n int, addr string) int {
	return 100 * strings.Count(picks(p, n), addr) / n
}

func TestTheFirstBackendsHaveTheirWholeWeightAtOnce(t *testing.T) {
	p := New(Options{SlowStart: time.Minute}, ring(2, equal)...)
	assert.Equal(t, "abab", picks(p, 4))
	assert.False(t, p.Ramp(then()))
}

func TestABackendThatJoinsStartsSlowly(t *testing.T) {
	p := New(Options{SlowStart: 9 * time.Second}, ring(1, equal)...)
	p.Add(NewBackend("b", 1), then())
	assert.Equal(t, 9, portion(p, 11, "b"), "1 of 11 turns")
	assert.True(t, p.Ramp(then().Add(999*time.Millisecond)))
	assert.Equal(t, 9, portion(p, 11, "b"))
	assert.True(t, p.Ramp(then().Add(time.Second)))
	assert.Equal(t, 16, portion(p, 12, "b"), "2 of 12")
	assert.True(t, p.Ramp(then().Add(8*time.Second)))
	assert.Equal(t, 47, portion(p, 19, "b"), "9 of 19")
	assert.True(t, p.Ramp(then()), "time does not run backwards")
	assert.Equal(t, 47, portion(p, 19, "b"))
	assert.False(t, p.Ramp(then().Add(9*time.Second)))
	assert.Equal(t, 50, portion(p, 20, "b"))
	assert.False(t, p.Ramp(then().Add(10*time.Second)))
}

func TestABackendThatComesUpStartsSlowlyEachTime(t *testing.T) {
	p := New(Options{SlowStart: 10 * time.Second}, weighted(3, 3)...)
	b := p.Backends()[1]
	for i := range 3 {
		now := then().Add(time.Duration(i) * time.Minute) // the start before was cut short
		p.SetUp(b, false, now)
		assert.Equal(t, "aaa", picks(p, 3))
		p.SetUp(b, true, now)
		assert.Equal(t, 9, portion(p, 11, "b"))
		assert.True(t, p.Ramp(now.Add(5*time.Second)))
		assert.Greater(t, portion(p, 100, "b"), 20)
	}
	p.SetUp(b, false, then())
	p.Ramp(then().Add(3 * time.Minute))
	assert.Equal(t, "aaa", picks(p, 3))
}

func TestWithoutSlowStartABackendHasItsWeightAtOnce(t *testing.T) {
	p := New(Options{}, ring(1, equal)...)
	p.Add(NewBackend("b", 1), then())
	assert.False(t, p.Ramp(then()))
	assert.Equal(t, 50, portion(p, 20, "b"))
}

func TestASlowStartChangesNothingForOneAlone(t *testing.T) {
	p := New(Options{SlowStart: time.Minute})
	p.Add(NewBackend("a", 7), then())
	assert.Equal(t, "aaa", picks(p, 3))
	assert.Len(t, p.rotation.Load().turns, 1)
}

func TestBackendsThatStartTogetherShareAlike(t *testing.T) {
	p := New(Options{SlowStart: time.Minute})
	for _, b := range weighted(2, 1) {
		p.Add(b, then())
	}
	assert.Equal(t, "abaaba", picks(p, 6))
}

func TestRampPublishesOnlyWhatChanged(t *testing.T) {
	p := New(Options{SlowStart: 9 * time.Second}, ring(1, equal)...)
	p.Add(NewBackend("b", 1), then())
	before := p.rotation.Load()
	assert.True(t, p.Ramp(then().Add(900*time.Millisecond)))
	assert.Same(t, before, p.rotation.Load())
	p.Remove(p.Backends()[1])
	assert.False(t, p.Ramp(then().Add(time.Second)), "who left does not start any more")
}

func TestPoliciesThatLookAtClaimsKeepToTheSlowStart(t *testing.T) {
	for _, policy := range []Policy{LeastBusy, TwoChoices} {
		p := New(Options{Policy: policy, SlowStart: time.Minute}, ring(1, equal)...)
		p.Add(NewBackend("b", 1), then())
		fill(t, p, 110)
		assert.Equal(t, 10, p.Backends()[1].Claimed(), "a tenth of what the other one has")
		require.False(t, p.Ramp(then().Add(time.Minute)))
		fill(t, p, 90)
		assert.Equal(t, 100, p.Backends()[1].Claimed(), "it catches up")
	}
}

func TestRampingAllocatesNothingWhenNobodyStarts(t *testing.T) {
	p := New(Options{SlowStart: time.Minute}, ring(100, equal)...)
	assert.Zero(t, testing.AllocsPerRun(100, func() { p.Ramp(then()) }))
}

// BenchmarkRamp publishes a thousand backends of as many weights that are all at
// another point of their slow start.
func BenchmarkRamp(b *testing.B) {
	pool := New(Options{SlowStart: time.Hour})
	now := then()
	for i, backend := range ring(1000, func(i int) int { return 1 + i%100 }) {
		pool.Add(backend, now.Add(time.Duration(i)*3*time.Second))
	}
	for b.Loop() {
		pool.Ramp(now.Add(40 * time.Minute))
		pool.publish()
	}
}
