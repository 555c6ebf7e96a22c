package main

import (
	"math"
	"slices"
)

// spread is what the rounds of one scenario gave for one proxy.
type spread struct {
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	Rounds []float64 `json:"rounds"` // in the order they were played
}

// newSpread sums up one value or more.
func newSpread(rounds []float64) spread {
	return spread{Median: median(rounds), Min: slices.Min(rounds), Max: slices.Max(rounds), Rounds: rounds}
}

// median of no values is not a number.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// betterPeer returns the lowest median among the proxies that are not trackgate;
// without any, that of the trackgate from before; or not a number.
func betterPeer(spreads map[string]spread) float64 {
	best := math.NaN()
	for name, s := range spreads {
		if name != ours && name != earlier && !(s.Median >= best) {
			best = s.Median
		}
	}
	if before, ok := spreads[earlier]; ok && math.IsNaN(best) {
		return before.Median
	}
	return best
}
