package h1

import "encoding/binary"

// The classes of bytes of RFC 9110 section 5.6.2, as bits.
const (
	plainName = 1 << iota // letters, digits and "-": names that are passed on
	oddName               // the other token bytes, but "_"
	valueByte             // HTAB, SP and VCHAR
	obsText               // 0x80 and above
)

// class tells which of the classes a byte is in.
var class = newClasses()

func newClasses() (table [256]uint8) {
	for c := 0x21; c < 0x7f; c++ {
		table[c] = valueByte
	}
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") {
		table[c] |= plainName
	}
	for _, c := range []byte("!#$%&'*+.^`|~") {
		table[c] |= oddName
	}
	table[' '], table['\t'] = valueByte, valueByte
	for c := 0x80; c <= 0xff; c++ {
		table[c] = obsText
	}
	return table
}

// lowered maps the bytes of a plain name to lower case, and all others to 0.
var lowered = newLowered()

func newLowered() (table [256]byte) {
	for c, bits := range newClasses() {
		if bits&plainName != 0 {
			table[c] = lower(byte(c))
		}
	}
	return table
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// printable reports whether b holds nothing but SP and VCHAR. It looks at eight
// bytes at a time: a high bit is set by a byte above 0x7f in w itself, by one
// below 0x20 in the difference and by 0x7f in the sum. A borrow or a carry into
// the next byte comes from such a byte only.
func printable(b []byte) bool {
	const ones = 0x0101010101010101
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		if (w|(w-0x20*ones)|(w+ones))&(0x80*ones) != 0 {
			return false
		}
	}
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return true
}
