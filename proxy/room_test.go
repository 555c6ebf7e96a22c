package proxy

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestClientsNeverGetAllFileDescriptors(t *testing.T) {
	for _, row := range []struct {
		limit       int
		descriptors uint64
		room        int64
	}{
		{20_000, 256, 115},
		{20_000, 1024, 460},
		{20_000, 65_536, 20_000},
		{20_000, math.MaxUint64, 20_000}, // no limit
		{100, 256, 100},
		{100, 1, 1},
	} {
		assert.Equal(t, row.room, roomFor(row.limit, row.descriptors), "%d of %d", row.limit, row.descriptors)
	}
}

func TestWhoeverDoesNotSleepIsNotSentAway(t *testing.T) {
	var r register
	assert.False(t, r.shed(), "nobody is there")
	all := make([]conn, 3)
	for i := range all {
		r.add(&all[i])
	}
	assert.False(t, r.shed(), "nobody sleeps")
	all[1].asleep.Store(true)
	all[2].asleep.Store(true)
	assert.True(t, r.shed())
	assert.False(t, all[1].asleep.Load(), "the oldest that sleeps")
	r.remove(&all[0])
	r.remove(&all[1])
	assert.True(t, r.shed())
	assert.False(t, all[2].asleep.Load())
	assert.False(t, r.shed(), "each is sent away once")
	r.remove(&all[2])
	assert.False(t, r.shed())
}
