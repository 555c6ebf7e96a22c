package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

func TestNumber(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "5": 5, "0005": 5, "999999999999999999": 999999999999999999} {
		n, ok := wire.Number([]byte(text))
		assert.True(t, ok, text)
		assert.Equal(t, want, n)
	}
	for _, text := range []string{"", "+5", "-5", "5 ", "0x5", "5,5", "5a", "1e3", "1_0", "٣", "1000000000000000000"} {
		_, ok := wire.Number([]byte(text))
		assert.False(t, ok, "%q", text)
	}
}

func TestMethodsArePlainWords(t *testing.T) {
	for _, good := range []string{"GET", "M-SEARCH", "x", strings.Repeat("A", 16)} {
		assert.True(t, wire.ValidMethod([]byte(good)), "%q", good)
	}
	for _, bad := range []string{"", "G ET", "GET\r", "G\x00", "G_T", "GET:", strings.Repeat("A", 17), "\xffGET"} {
		assert.False(t, wire.ValidMethod([]byte(bad)), "%q", bad)
	}
}

func TestTargetsArePrintable(t *testing.T) {
	for _, good := range []string{"/", "/track?a=b&c=%20", "*", "http://a/", "/~!$'()\\"} {
		assert.True(t, wire.ValidTarget([]byte(good)), "%q", good)
	}
	for _, bad := range []string{"", "/a b", "/#", "/\t", "/\r\n", "/\x7f", "/\x80", "/\x00"} {
		assert.False(t, wire.ValidTarget([]byte(bad)), "%q", bad)
	}
}
