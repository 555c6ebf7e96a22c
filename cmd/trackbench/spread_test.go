package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedian(t *testing.T) {
	for _, row := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 2, 9}, 3},
		{[]float64{5, 5, 5, 100, 5}, 5},
	} {
		assert.Equal(t, row.want, median(row.values), "%v", row.values)
	}
	assert.True(t, math.IsNaN(median(nil)))
}

func TestSpreadKeepsTheOrderOfRounds(t *testing.T) {
	s := newSpread([]float64{30, 10, 20})

	assert.Equal(t, spread{Median: 20, Min: 10, Max: 30, Rounds: []float64{30, 10, 20}}, s)
}

func TestBetterPeerIsNeverOurs(t *testing.T) {
	of := func(median float64) spread { return spread{Median: median} }

	assert.Equal(t, 33.0, betterPeer(map[string]spread{"trackgate": of(1), "nginx": of(33), "haproxy": of(40)}))
	assert.Equal(t, 40.0, betterPeer(map[string]spread{"trackgate": of(50), "haproxy": of(40)}))
	assert.True(t, math.IsNaN(betterPeer(map[string]spread{"trackgate": of(1)})))
	assert.Equal(t, 40.0, betterPeer(map[string]spread{"trackgate": of(1), "before": of(2), "haproxy": of(40)}))
	assert.Equal(t, 2.0, betterPeer(map[string]spread{"trackgate": of(1), "before": of(2)}))
}
