package main

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoundsInterleaveAndBeginWithAnotherEachTime(t *testing.T) {
	var order []int

	values, err := interleave(3, 3, func(contender int) (float64, error) {
		order = append(order, contender)
		return float64(10*contender + len(order)), nil
	})

	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2, 1, 2, 0, 2, 0, 1}, order)
	assert.Equal(t, [][]float64{{1, 6, 8}, {12, 14, 19}, {23, 25, 27}}, values)
}

func TestRoundsEndWithTheFirstFailure(t *testing.T) {
	broken := errors.New("broken")
	calls := 0

	values, err := interleave(3, 2, func(int) (float64, error) {
		calls++
		return 0, broken
	})

	assert.Equal(t, broken, err)
	assert.Nil(t, values)
	assert.Equal(t, 1, calls)
}
