package discovery

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func targetAt(addresses ...string) *target {
	t := &target{}
	t.keep(addrs(addresses...))
	return t
}

// weights is the weights by address.
func weights(services []serviceRecord, targets map[string]*target) map[string]int {
	members, _ := share(services, targets)
	all := map[string]int{}
	for _, m := range members {
		all[m.Addr] = m.Weight
	}
	return all
}

func TestWeightsStayAsTheyAreWhereTheyCan(t *testing.T) {
	targets := map[string]*target{"a.": targetAt("10.0.0.1"), "b.": targetAt("10.0.0.2"), "c.": targetAt("10.0.0.3"), "gone.": targetAt()}
	assert.Equal(t, map[string]int{"10.0.0.1:1": 10, "10.0.0.2:1": 30, "10.0.0.3:1": 1},
		weights([]serviceRecord{{"a.", 1, 0, 10}, {"b.", 1, 0, 30}, {"gone.", 1, 0, 9}, {"c.", 1, 1, 1}}, targets))
	assert.Equal(t, map[string]int{"10.0.0.1:1": 1, "10.0.0.2:1": 1, "10.0.0.3:1": 7},
		weights([]serviceRecord{{"a.", 1, 0, 0}, {"b.", 1, 0, 0}, {"c.", 1, 1, 7}}, targets), "all 0 is all the same")
}

func TestAWeightOfZeroBesideOthersIsAVerySmallShare(t *testing.T) {
	targets := map[string]*target{"a.": targetAt("10.0.0.1"), "b.": targetAt("10.0.0.2")}
	assert.Equal(t, map[string]int{"10.0.0.1:1": 100, "10.0.0.2:1": 1}, weights([]serviceRecord{{"a.", 1, 0, 1}, {"b.", 1, 0, 0}}, targets))
}

func TestTheAddressesOfATargetShareItsWeight(t *testing.T) {
	targets := map[string]*target{"a.": targetAt("10.0.0.1", "10.0.0.2"), "b.": targetAt("10.0.0.3")}
	assert.Equal(t, map[string]int{"10.0.0.1:1": 50, "10.0.0.2:1": 50, "10.0.0.3:1": 100}, weights([]serviceRecord{{"a.", 1, 0, 0}, {"b.", 1, 0, 0}}, targets))
	assert.Equal(t, map[string]int{"10.0.0.1:1": 300, "10.0.0.2:1": 300, "10.0.0.3:1": 400}, weights([]serviceRecord{{"a.", 1, 0, 6}, {"b.", 1, 0, 4}}, targets))
}

func TestManyErrorsAreOne(t *testing.T) {
	assert.NoError(t, several(nil))
	assert.Equal(t, context.Canceled, several([]error{context.Canceled}))
	err := several([]error{context.Canceled, errors.New("b"), errors.New("c")})
	assert.EqualError(t, err, "context canceled (and 2 more)")
	assert.ErrorIs(t, err, context.Canceled)
}
