package h1

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whatever stands where, looking at eight bytes at once must see what a look at
// each would.
func TestPrintableSeesEveryByteEverywhere(t *testing.T) {
	for c := range 256 {
		want := c >= 0x20 && c <= 0x7e
		for _, around := range []byte{' ', 'a', '~', 0x80, 0xff, 0x00, 0x7f, 0x1f} {
			wantAll := want && around >= 0x20 && around <= 0x7e
			for at := range 17 {
				b := []byte(strings.Repeat(string([]byte{around}), 17))
				b[at] = byte(c)
				if got := printable(b); got != wantAll {
					t.Fatalf("printable(%q) is %v", b, got)
				}
			}
		}
		assert.Equal(t, want, printable([]byte{byte(c)}))
	}
	assert.True(t, printable(nil))
}

func TestClassesAreThoseOfTheGrammar(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for c := range 256 {
		in := func(set string) bool { return strings.IndexByte(set, byte(c)) >= 0 }
		has := func(bit uint8) bool { return class[c]&bit != 0 }
		assert.Equal(t, in(letters+"-"), has(plainName), "%q", c)
		assert.Equal(t, in("!#$%&'*+.^`|~"), has(oddName), "%q", c)
		assert.Equal(t, c == '\t' || c >= 0x20 && c < 0x7f, has(valueByte), "%q", c)
		assert.Equal(t, c >= 0x80, has(obsText), "%q", c)
		assert.Equal(t, in(letters+"-"), lowered[c] != 0, "%q", c)
	}
}

func TestAppendHex(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 9: "9", 15: "f", 16: "10", 0x3e3: "3e3", 1<<64 - 1: "ffffffffffffffff"} {
		assert.Equal(t, want, string(AppendHex(nil, n)))
	}
}
