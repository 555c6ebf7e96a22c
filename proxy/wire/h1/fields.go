package h1

import (
	"bytes"
	"unicode/utf8"

	"github.com/trackgate/trackgate/proxy/wire"
)

// parseFields reads the field lines of section, which ends with an empty line,
// into f. Names are lowered in place.
func parseFields(section []byte, f *wire.Fields, limit int, strict bool) error {
	for {
		end := bytes.IndexByte(section, '\n')
		if end == 1 {
			return nil
		}
		if f.Len() >= limit {
			return &errFields
		}
		if err := parseField(section[:end-1], f, strict); err != nil {
			return err
		}
		section = section[end+1:]
	}
}

// parseField reads one field line without its line end (RFC 9112 section 5).
// A request (strict) may not have "_" in a name, which some backends take for
// "-", nor a value that is not UTF-8; other unusual names are not passed on.
func parseField(line []byte, f *wire.Fields, strict bool) error {
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 {
		return malformed("a field line without a name")
	}
	name, value := line[:colon], trim(line[colon+1:])
	plain, err := lowerName(name, strict)
	if err != nil {
		return err
	}
	if err := checkValue(value, strict); err != nil {
		return err
	}
	f.Add(wire.Lookup(name), name, value)
	if !plain {
		f.All()[f.Len()-1].Gone = true
	}
	return nil
}

// lowerName checks and lowers a field name in place. plain says that it has
// only letters, digits and "-".
func lowerName(name []byte, strict bool) (plain bool, err error) {
	plain = true
	for i, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			name[i] = c | 0x20
		case class[c]&plainName != 0:
		case class[c]&oddName != 0, c == '_' && !strict:
			plain = !strict && plain
		default:
			return false, malformed("a byte in a field name that may not be there")
		}
	}
	return plain, nil
}

// checkValue refuses control bytes and, in requests, what is not UTF-8.
func checkValue(value []byte, strict bool) error {
	all, any := classes(value)
	if all&valueByte != 0 {
		return nil
	}
	for _, c := range value {
		if class[c]&(valueByte|obsText) == 0 {
			return malformed("a control byte in a field value")
		}
	}
	if strict && any&obsText != 0 && !utf8.Valid(value) {
		return malformed("a field value that is not UTF-8")
	}
	return nil
}

// trim cuts the optional white space around a value (RFC 9110 section 5.6.3).
func trim(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}
