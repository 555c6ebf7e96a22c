package balancer

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// order is the turns of weights as letters.
func order(weights ...int) string {
	var s strings.Builder
	for _, i := range smooth(reduce(weights)) {
		s.WriteByte(byte('a' + i))
	}
	return s.String()
}

func TestTurnsAreSpread(t *testing.T) {
	assert.Equal(t, "a", order(7))
	assert.Equal(t, "abc", order(1, 1, 1))
	assert.Equal(t, "abc", order(100, 100, 100))
	assert.Equal(t, "aabacaa", order(5, 1, 1))
	assert.Equal(t, "aabacaa", order(50, 10, 10))
	assert.Equal(t, "bab", order(1, 2))
	assert.Equal(t, "cbacbcdbc", order(1, 3, 4, 1))
}

// nginx is the textbook way: every member is looked at for every turn.
func nginx(weights []int) (turns []int) {
	total, current := 0, make([]int, len(weights))
	for _, w := range weights {
		total += w
	}
	for range total {
		best := 0
		for i, w := range weights {
			current[i] += w
			if current[i] > current[best] {
				best = i
			}
		}
		current[best] -= total
		turns = append(turns, best)
	}
	return turns
}

func TestTheOrderIsThatOfNginx(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		weights := make([]int, 1+random.IntN(12))
		for i := range weights {
			weights[i] = 1 + random.IntN(1+random.IntN(9))
		}
		assert.Equal(t, nginx(weights), smooth(weights), "%v", weights)
	}
}

func TestWeightsOfOneProportionAreOneRotation(t *testing.T) {
	for _, row := range []struct{ weights, want []int }{
		{nil, []int{}},
		{[]int{1000}, []int{1}},
		{[]int{1000, 500, 250}, []int{4, 2, 1}},
		{[]int{6, 10, 15}, []int{6, 10, 15}},
		{[]int{10_000_000, 10_000_000, 1}, []int{8192, 8192, 1}},
	} {
		assert.Equal(t, row.want, reduce(row.weights))
	}
}

func TestARotationStaysBounded(t *testing.T) {
	var weights []int
	for i := range 1000 {
		weights = append(weights, 1+i)
	}
	turns := smooth(reduce(weights))
	counts := make([]int, len(weights))
	for _, i := range turns {
		counts[i]++
	}
	assert.LessOrEqual(t, len(turns), maxTurns+len(weights))
	assert.Equal(t, 1, counts[0], "the smallest weight still has its turn")
	assert.InEpsilon(t, 2, float64(counts[999])/float64(counts[499]), 0.05)
}

func BenchmarkPublish(b *testing.B) {
	pool := New(Options{}, ring(1000, func(i int) int { return 1 + i })...)
	for b.Loop() {
		pool.publish()
	}
}
