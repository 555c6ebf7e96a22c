package h1

import (
	"bytes"
	"unicode/utf8"

	"github.com/trackgate/trackgate/proxy/wire"
)

// section is where fields stand, which decides about the odd ones.
type section uint8

const (
	inRequest  section = iota // refused, or not passed on
	inResponse                // passed on
	inTrailer                 // not passed on
)

// parseFields reads the field lines of lines, which end with an empty line, into
// f. Names are lowered in place.
func parseFields(lines []byte, f *wire.Fields, limit int, in section) error {
	for {
		end := bytes.IndexByte(lines, '\n')
		if end == 1 {
			return nil
		}
		if f.Len() >= limit {
			return wire.ErrFields
		}
		if err := parseField(lines[:end-1], f, in); err != nil {
			return err
		}
		lines = lines[end+1:]
	}
}

// parseField reads one field line without its line end (RFC 9112 section 5).
func parseField(line []byte, f *wire.Fields, in section) error {
	colon, odd, err := parseName(line, in)
	if err != nil {
		return err
	}
	name, value := line[:colon], wire.TrimBlanks(line[colon+1:])
	text, err := checkValue(value, in)
	if err != nil {
		return err
	}
	id := wire.Lookup(name)
	f.Add(id, name, value)
	if odd && in != inResponse || in == inTrailer && !(text && id.InTrailer()) {
		f.All()[f.Len()-1].Gone = true
	}
	return nil
}

// parseName checks and lowers the name at the beginning of a line and returns
// where it ends. Names of letters, digits and "-" are passed on; others are odd:
// a request may not have "_" in a name, which some backends take for "-", and
// the rest is left out.
func parseName(line []byte, in section) (colon int, odd bool, err error) {
	for colon < len(line) && lowered[line[colon]] != 0 {
		line[colon] = lowered[line[colon]]
		colon++
	}
	if odd = colon == len(line) || line[colon] != ':'; odd {
		colon, err = lowerOdd(line, colon, in)
	}
	if colon == 0 && err == nil {
		err = malformed("a field line without a name")
	}
	return colon, odd, err
}

// lowerOdd checks and lowers a name from its first odd byte on, and returns where
// it ends.
func lowerOdd(line []byte, from int, in section) (colon int, err error) {
	for i := from; i < len(line); i++ {
		switch c := line[i]; {
		case c == ':':
			return i, nil
		case class[c]&(plainName|oddName) != 0, c == '_' && in != inRequest:
			line[i] = lower(c)
		default:
			return 0, malformed("a byte in a field name that may not be there")
		}
	}
	return 0, malformed("a field line without a colon")
}

// checkValue refuses control bytes (RFC 9110 section 5.5) and, in requests, what
// is not UTF-8. text says whether the value is UTF-8.
func checkValue(value []byte, in section) (text bool, err error) {
	if printable(value) {
		return true, nil
	}
	for _, c := range value {
		if class[c]&(valueByte|obsText) == 0 {
			return false, malformed("a control byte in a field value")
		}
	}
	text = utf8.Valid(value)
	if !text && in == inRequest {
		return false, malformed("a field value that is not UTF-8")
	}
	return text, nil
}
