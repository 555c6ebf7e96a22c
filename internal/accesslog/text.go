package accesslog

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// cut marks a text that went on.
const cut = `\u2026`

// appendText writes key, which ends with the opening quote, the first most
// bytes of the client's value, and the closing quote. Only printable ASCII is
// written as it is, so that no terminal, viewer or parser is ever handed
// anything else.
func appendText(b []byte, key string, value []byte, most int) []byte {
	b = append(b, key...)
	if len(value) <= most && plain(value) {
		b = append(b, value...)
	} else {
		b = appendEscaped(b, value, most)
	}
	return append(b, '"')
}

// appendWord writes key and a word of our own, whole. Such words are plain
// unless an operator gave a listener a name that is not.
func appendWord(b []byte, key, word string) []byte {
	b = append(b, key...)
	start := len(b)
	b = append(b, word...)
	if !plain(b[start:]) {
		b = appendEscaped(b[:start], []byte(word), len(word))
	}
	return append(b, '"')
}

// plain reports whether p can stand in a JSON string as it is. It looks at
// eight bytes at a time: a byte has its high bit set in one of the terms if it
// is below 0x20, a quote, a backslash, or above 0x7e. A borrow from a byte
// below can only ever follow one that was caught itself.
func plain(p []byte) bool {
	const ones = 0x0101010101010101
	for ; len(p) >= 8; p = p[8:] {
		x := binary.LittleEndian.Uint64(p)
		found := x | (x - 0x20*ones) | (x + ones) | ((x ^ '"'*ones) - ones) | ((x ^ '\\'*ones) - ones)
		if found&(0x80*ones) != 0 {
			return false
		}
	}
	for _, c := range p {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// appendEscaped writes the first most bytes of s, never half a character, and
// a mark if there was more.
func appendEscaped(b, s []byte, most int) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRune(s[i:])
		if i+size > most {
			return append(b, cut...)
		}
		if r == utf8.RuneError && size == 1 {
			r = rune(s[i]) // not UTF-8: the byte itself
		}
		b = appendRune(b, r)
		i += size
	}
	return b
}

func appendRune(b []byte, r rune) []byte {
	switch {
	case r == '"' || r == '\\':
		return append(b, '\\', byte(r))
	case r >= 0x20 && r < 0x7f:
		return append(b, byte(r))
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return appendUnit(appendUnit(b, high), low)
	default:
		return appendUnit(b, r)
	}
}

// appendUnit writes one UTF-16 code unit as \uXXXX.
func appendUnit(b []byte, u rune) []byte {
	return append(b, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
