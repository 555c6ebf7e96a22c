package health

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// course lets a tally see probes, "+" passed and "-" failed, and returns the
// status after each as its first letter.
func course(rise, fall int, probes string) string {
	t := &tally{rise: rise, fall: fall}
	var s strings.Builder
	for _, p := range probes {
		var failure error
		if p == '-' {
			failure = errors.New("no")
		}
		before := t.status
		if changed := t.add(failure, false); changed != (t.status != before) {
			return "changed without saying so, or the other way round"
		}
		s.WriteByte(t.status.String()[0])
	}
	return s.String()
}

func TestStatusFollowsProbesInARow(t *testing.T) {
	for _, row := range []struct {
		rise, fall         int
		story, probes, was string
	}{
		{2, 3, "up at the first that passes", "+", "u"},
		{2, 3, "unknown until as many failed as fall says", "--", "uu"},
		{2, 3, "down from the start", "---", "uud"},
		{2, 3, "up at once although one failed", "-+---", "uuuud"},
		{2, 3, "one failure is none", "+--+--+", "uuuuuuu"},
		{2, 3, "back only after as many as rise says", "---+-++", "uudd" + "ddu"},
		{2, 3, "flapping down there changes nothing", "---+-+-+-+-", "uud" + "dddddddd"},
		{1, 1, "as nervous as one wants", "+-+-", "udud"},
		{3, 1, "hard to win back", "-++-+++", "dddd" + "ddu"},
	} {
		assert.Equal(t, row.was, course(row.rise, row.fall, row.probes), row.story)
	}
}

func TestAChangeSaysWhy(t *testing.T) {
	k := &tally{rise: 2, fall: 3}
	say := func(failure error) string {
		if k.add(failure, false) {
			return k.why
		}
		return ""
	}

	assert.Equal(t, "1 check passed", say(nil))
	assert.Empty(t, say(nil))
	assert.Empty(t, say(errors.New("first")))
	assert.Empty(t, say(errors.New("second")))
	assert.Equal(t, "3 checks failed: third", say(errors.New("third")))
	assert.Empty(t, say(errors.New("fourth")))
	assert.Empty(t, say(nil))
	assert.Equal(t, "2 checks passed", say(nil))
}

func TestTheFirstPassIsOneCheckWhateverFailedBefore(t *testing.T) {
	k := &tally{rise: 2, fall: 3}
	assert.False(t, k.add(errors.New("no"), false))
	assert.True(t, k.add(nil, false))
	assert.Equal(t, "1 check passed", k.why)
}

func TestInNeedOnePassIsEnough(t *testing.T) {
	k := &tally{rise: 3, fall: 1, status: Down}
	assert.False(t, k.add(nil, false))
	assert.True(t, k.add(nil, true))
	assert.Equal(t, "2 checks passed", k.why)
	assert.True(t, k.add(errors.New("no"), true), "to be in need is no excuse")
}
