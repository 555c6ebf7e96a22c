package h2

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStreamsThatArePassedOverAreNotForgotten(t *testing.T) {
	var c closed
	c.add(1, byClient)
	c.passOver(1)
	for id := uint32(3); id < 103; id += 2 {
		c.add(id, whole) // as many as it does not remember
	}
	assert.Equal(t, unknown, c.find(1), "it remembers the latest")
	assert.Equal(t, byUs, c.find(3))
	assert.Equal(t, byUs, c.find(999))
}
