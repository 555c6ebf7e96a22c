package hpack

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withLongEntry is a decoder whose newest entry, index 62, has a value of 4,000 bytes.
func withLongEntry(t *testing.T, d Decoder) *Decoder {
	t.Helper()
	most := d.Most
	d.Most = 0
	b := append([]byte{0x40, 1, 'a'}, appendNumber(nil, 0, 7, 4000)...)
	_, err := said(&d, append(b, strings.Repeat("v", 4000)...))
	require.NoError(t, err)
	d.Most = most
	return &d
}

// grown returns how many bytes a block is decoded to before it ends.
func grown(d *Decoder, b []byte) (int, error) {
	var arena []byte
	var f Field
	for d.Begin(b); ; {
		more, err := d.Next(&f, arena)
		if err != nil {
			return len(arena), err
		}
		arena = more
	}
}

// A byte on the wire that becomes four thousand is stopped (CVE-2026-47774).
func TestReferencesGrowABlockToTheBoundOnly(t *testing.T) {
	d := withLongEntry(t, Decoder{Most: 16 << 10})
	n, err := grown(d, []byte(strings.Repeat("\xbe", 1000)))
	assert.Equal(t, ErrSize, err)
	assert.LessOrEqual(t, n, 16<<10)

	n, err = grown(d, []byte(strings.Repeat("\xbe", 4)))
	assert.Equal(t, io.EOF, err, "the bound is of each block")
	assert.Equal(t, 4*4001, n)
}

// Many fields without a byte are bounded as well.
func TestEmptyFieldsCountAgainstTheBound(t *testing.T) {
	d := &Decoder{Most: 16 << 10}
	_, err := grown(d, []byte(strings.Repeat("\x90", 1000))) // accept-encoding
	assert.Equal(t, ErrSize, err)
}

// Who uses the name of an entry does not pay for its value.
func TestANameIsTakenWithoutItsValue(t *testing.T) {
	d := withLongEntry(t, Decoder{})
	n, err := grown(d, []byte(strings.Repeat("\x0f\x2f\x01x", 1000))) // index 62, not entered
	assert.Equal(t, io.EOF, err)
	assert.Equal(t, 1000*len("ax"), n)

	lines, err := said(d, []byte("\x0f\x2f\x01x"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a: x"}, lines)
}
