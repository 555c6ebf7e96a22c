package hpack

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

func judged(name, value string) Field {
	f := Field{Name: []byte(name), Value: []byte(value)}
	f.judge()
	return f
}

func TestNamesAreJudged(t *testing.T) {
	for name, want := range map[string]Verdict{
		"x-timestamp": 0, "a": 0, "0": 0, "-": 0,
		"x.y": OddName, "a!b": OddName, "|": OddName,
		"": BadName, "X": BadName, "hOst": BadName, "a_b": BadName, "a b": BadName, "a:b": BadName, "a\r": BadName,
		"a\x00": BadName, "\x7f": BadName, "\xc3\xa4": BadName, "a(b": BadName, "x.Y": BadName,
	} {
		assert.Equal(t, want, judged(name, "v").Verdict, "%q", name)
	}
}

func TestValuesAreJudged(t *testing.T) {
	for value, want := range map[string]Verdict{
		"": 0, "a b": 0, "a\tb": 0, "\xc3\xa4": 0, "~": 0, "!": 0,
		" a": BadValue, "a ": BadValue, "\ta": BadValue, " ": BadValue, "a\r\nb": BadValue, "a\n": BadValue, "a\x00": BadValue,
		"\x7f": BadValue, "a\x1fb": BadValue,
		"\xff": NotUTF8, "a\xc3": NotUTF8,
	} {
		assert.Equal(t, want, judged("x", value).Verdict, "%q", value)
	}
}

func TestPseudoFieldsAreKnownAndHaveNoVerdict(t *testing.T) {
	for name, want := range map[string]Pseudo{
		":method": Method, ":scheme": Scheme, ":authority": Authority, ":path": Path, ":protocol": Protocol,
		":status": Unknown, ":": Unknown, ":Method": Unknown, ":method ": Unknown,
	} {
		f := judged(name, "\r\n")
		assert.Equal(t, want, f.Pseudo, name)
		assert.Zero(t, f.Verdict, name)
		assert.Equal(t, wire.Other, f.ID)
	}
	assert.True(t, (BadName | BadValue).Has(BadValue))
	assert.False(t, BadName.Has(BadValue))
}

// An entry of either table is judged as the same field spelled out.
func TestEntriesCarryTheirVerdict(t *testing.T) {
	for i, f := range static[1:] {
		want := judged(staticFields[i][0], staticFields[i][1])
		assert.Equal(t, want, f)
	}
	var d Decoder
	_, err := said(&d, block(t, "40 03 612e 62 01 ff  40 04 686f 7374 02 2061"))
	assert.NoError(t, err)
	var odd, host Field
	d.table.get(&odd, 2, nil)
	assert.Equal(t, OddName|NotUTF8, odd.Verdict)
	d.table.get(&host, 1, nil)
	assert.Equal(t, wire.Host, host.ID)
	assert.Equal(t, BadValue, host.Verdict)
}
