package proxy

import (
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
)

func TestARationIsThereAgainInEachPeriod(t *testing.T) {
	r := newRation(2, 10*time.Second)
	for _, test := range []struct {
		at   time.Duration
		want bool
	}{
		{0, true}, {time.Second, true}, {2 * time.Second, false}, {9 * time.Second, false},
		{10 * time.Second, true}, {19 * time.Second, true}, {19 * time.Second, false},
		{time.Minute, true},
	} {
		assert.Equal(t, test.want, r.allows(test.at), "%s", test.at)
	}
}

// What a ration counts from has the monotonic clock, which nobody sets.
func TestARationKnowsNoTimeOfDay(t *testing.T) {
	r := newRation(1, time.Hour)
	assert.NotEqual(t, r.start, r.start.Round(0), "a time without the monotonic clock")
	assert.True(t, r.Sample(zerolog.WarnLevel))
	assert.False(t, r.Sample(zerolog.WarnLevel))
}
