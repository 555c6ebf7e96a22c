package backend

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
)

// record is one of type application data.
func record(n int) []byte {
	return append([]byte{23, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
}

func TestRecordsAreWholeOnlyAtTheirEnd(t *testing.T) {
	for _, size := range []int{0, 1, 255, 256, 16640, 65535} {
		text := record(size)
		var r records
		assert.True(t, r.whole(), "before the first")
		for i := range text {
			r.pass(text[i : i+1])
			if r.whole() != (i == len(text)-1) {
				t.Fatalf("a record of %d bytes after %d", size, i+1)
			}
		}
	}
}

func FuzzRecords(f *testing.F) {
	f.Add(record(3), 1)
	f.Add(append(record(300), record(0)...), 4)
	f.Add([]byte{1, 2, 3}, 2)
	f.Add(append(record(7), 22, 3, 3), 9)
	f.Fuzz(func(t *testing.T, text []byte, at int) {
		at = max(0, min(at, len(text)))
		var r records
		r.pass(text[:at])
		assert.Equal(t, ends(text[:at]), r.whole())
		r.pass(text[at:])
		assert.Equal(t, ends(text), r.whole())
	})
}

// ends is records with all the text at hand.
func ends(text []byte) bool {
	for r := bytes.NewReader(text); r.Len() > 0; {
		var head struct {
			Type    uint8
			Version uint16
			Length  uint16
		}
		if binary.Read(r, binary.BigEndian, &head) != nil || int(head.Length) > r.Len() {
			return false
		}
		r.Seek(int64(head.Length), 1) //nolint:errcheck // it is that long
	}
	return true
}
