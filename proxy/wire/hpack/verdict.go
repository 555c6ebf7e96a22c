package hpack

import (
	"unicode/utf8"

	"github.com/trackgate/trackgate/proxy/wire"
)

// Pseudo is which pseudo-field a field is (RFC 9113 section 8.3), as a bit, so that
// several make a set.
type Pseudo uint8

// The pseudo-fields of a request; Unknown is every other name that begins with a
// colon, :status among them.
const (
	Method Pseudo = 1 << iota
	Scheme
	Authority
	Path
	Protocol // RFC 8441
	Unknown
)

func pseudo(name []byte) Pseudo {
	switch string(name) {
	case ":method":
		return Method
	case ":scheme":
		return Scheme
	case ":authority":
		return Authority
	case ":path":
		return Path
	case ":protocol":
		return Protocol
	}
	return Unknown
}

// Verdict is what is to be said of the bytes of a field, as bits. It holds names and
// values to what HTTP/1.1 is held to by package h1, as requests become that.
type Verdict uint8

// The verdicts.
const (
	// BadName is a name that is none: empty, in upper case (RFC 9113 section 8.2), not a
	// token, or with "_", which backends take for "-".
	BadName Verdict = 1 << iota
	// OddName is a token with a byte beside a-z, 0-9 and "-". It is not passed on.
	OddName
	// BadValue is one with a control byte, or with white space around it (RFC 9113 section
	// 8.2.1).
	BadValue
	// NotUTF8 is a value with bytes beyond ASCII that are no text.
	NotUTF8
)

// Has reports whether v has one of the bits of other.
func (v Verdict) Has(other Verdict) bool { return v&other != 0 }

// The kinds of bytes, as bits.
const (
	plainName = 1 << iota // a-z, 0-9 and "-"
	oddName               // the other bytes of a token in lower case, but "_"
	plainText             // SP and VCHAR
	text                  // those, HTAB and obs-text
)

var kinds = newKinds()

func newKinds() (table [256]uint8) {
	for c := 0x20; c < 0x100; c++ {
		if c < 0x7f {
			table[c] |= plainText
		}
		if c != 0x7f {
			table[c] |= text
		}
	}
	table['\t'] |= text
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyz0123456789-") {
		table[c] |= plainName
	}
	for _, c := range []byte("!#$%&'*+.^`|~") {
		table[c] |= oddName
	}
	return table
}

// judge finds ID, Pseudo and Verdict of f.
func (f *Field) judge() {
	if len(f.Name) > 0 && f.Name[0] == ':' {
		f.Pseudo, f.Verdict = pseudo(f.Name), 0
		return
	}
	f.ID = wire.Lookup(f.Name)
	f.Verdict = nameVerdict(f.Name)
	f.judgeValue()
}

// judgeValue adds what is to be said of the value. Those of pseudo-fields have rules of
// their own.
func (f *Field) judgeValue() {
	if f.Pseudo == 0 {
		f.Verdict = f.Verdict&(BadName|OddName) | valueVerdict(f.Value)
	}
}

func nameVerdict(name []byte) Verdict {
	all, some := uint8(plainName), uint8(0)
	for _, c := range name {
		k := kinds[c] & (plainName | oddName)
		if k == 0 {
			return BadName
		}
		all &= k
		some |= k
	}
	switch {
	case len(name) == 0:
		return BadName
	case all == 0:
		return OddName
	}
	return 0
}

func valueVerdict(value []byte) Verdict {
	all := uint8(plainText | text)
	for _, c := range value {
		all &= kinds[c]
	}
	n := len(value)
	switch {
	case all&text == 0, n > 0 && (blank(value[0]) || blank(value[n-1])):
		return BadValue
	case all&plainText == 0 && !utf8.Valid(value):
		return NotUTF8
	}
	return 0
}

func blank(c byte) bool { return c == ' ' || c == '\t' }
