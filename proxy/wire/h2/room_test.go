package h2

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allocated returns how many bytes something allocates.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A head of 29 kB may come as ninety references to one field, and as many may stand
// behind the body: what is kept of both is hardly more than they say.
func TestALargeHeadIsKeptOnce(t *testing.T) {
	c := &Conn{config: patient()}
	c.fields.Most = blockGrowth * c.config.Limits.Head
	first := "\x40\x03x-a\x7f\xa3\x01" + strings.Repeat("v", 290) // enters it as entry 62
	require.NoError(t, c.skipBlock([]byte(first)))
	references := strings.Repeat("\xbe", 90)

	s := newStream(c, 1)
	head := plain("GET", "/") + references
	size := allocated(func() { require.NoError(t, c.decodeHead(s, block{bytes: []byte(head), endStream: true})) })
	require.NoError(t, s.fault)
	assert.Equal(t, 90, s.req.Fields.Len())
	assert.LessOrEqual(t, size, uint64(64<<10))

	size = allocated(func() {
		fields, ok, err := c.decodeTrailers([]byte(references))
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, 90, fields.Len())
	})
	assert.LessOrEqual(t, size, uint64(64<<10))
}
