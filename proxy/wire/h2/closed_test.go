package h2

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStreamsThatArePassedOverAreNotForgotten(t *testing.T) {
	var c closed
	c.passOver(1)
	for id := uint32(3); id < 1003; id += 2 {
		c.add(id, whole) // more than it remembers
	}
	assert.Equal(t, unknown, c.find(1))
	assert.Equal(t, byUs, c.find(3))
	assert.Equal(t, byUs, c.find(999))
}

func TestClosedStreamsAreRemembered(t *testing.T) {
	var c closed
	assert.Equal(t, unknown, c.find(1))
	assert.Equal(t, unknown, c.find(0), "the zero value holds no stream 0")
	for i := range uint32(resetsKept) {
		c.add(4*i+1, whole)
		c.add(4*i+3, closing(i%2)+byUs)
	}
	for i := range uint32(resetsKept) {
		assert.Equal(t, closing(i%2)+byUs, c.find(4*i+3))
	}
	last := uint32(4*resetsKept - 3)
	assert.Equal(t, whole, c.find(last))
	assert.Equal(t, unknown, c.find(1), "the oldest is forgotten")
	c.add(last+2, byClient)
	c.add(last+2, byUs)
	assert.Equal(t, byUs, c.find(last+2), "the latest says")
	assert.Equal(t, unknown, c.find(3), "the oldest is forgotten")
}
