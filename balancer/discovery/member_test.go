package discovery

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMembersAreSortedByNumberAndEachOnce(t *testing.T) {
	kept, dropped := tidy([]Member{
		{"10.0.0.10:80", "b", 1, 0},
		{"[2001:db8::1]:80", "a", 1, 0},
		{"10.0.0.9:443", "a", 1, 0},
		{"10.0.0.9:80", "a", 1, 0},
		{"10.0.0.10:80", "a", 1, 0},
		{"10.0.0.10:80", "a", 5, 0},
		{"10.0.0.9:80", "a", 1, 7},
		{"10.0.0.1:80", "a", 1, 7},
	})
	assert.Equal(t, []Member{
		{"10.0.0.9:80", "a", 1, 0},
		{"10.0.0.9:443", "a", 1, 0},
		{"10.0.0.10:80", "a", 5, 0},
		{"[2001:db8::1]:80", "a", 1, 0},
		{"10.0.0.1:80", "a", 1, 7},
	}, kept)
	assert.Zero(t, dropped)
}

func TestTheSameMembersAreCutEachTime(t *testing.T) {
	var all []Member
	for i := range 4000 {
		all = append(all, Member{Addr: fmt.Sprintf("10.0.%d.%d:80", i/250, i%250), Weight: 1})
	}
	first, dropped := tidy(slices.Clone(all))
	assert.Len(t, first, mostMembers)
	assert.Equal(t, 3000, dropped)
	assert.Equal(t, all[:mostMembers], first)

	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	second, _ := tidy(all)
	assert.Equal(t, first, second)
}
