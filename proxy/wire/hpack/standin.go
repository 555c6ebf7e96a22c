// Package hpack is what the engine for HTTP/2 reads and writes field blocks with (RFC
// 7541). For now it wraps golang.org/x/net/http2/hpack; its own decoder takes the place
// of this file.
package hpack

import (
	"io"
	"strconv"

	"github.com/trackgate/trackgate/proxy/wire"
	xh "golang.org/x/net/http2/hpack"
)

// Pseudo is which pseudo-field a field is, as a bit.
type Pseudo uint8

// The pseudo-fields.
const (
	Method Pseudo = 1 << iota
	Scheme
	Authority
	Path
	Protocol
	Status
	UnknownPseudo
)

// Verdict says what is wrong with a field, as bits.
type Verdict uint8

// The verdicts.
const (
	BadName Verdict = 1 << iota
	OddName
	BadValue
	NotUTF8
)

// Has reports whether all bits of x are set.
func (v Verdict) Has(x Verdict) bool { return v&x != 0 }

// Field is one decoded field line.
type Field struct {
	Name, Value []byte
	ID          wire.Name
	Pseudo      Pseudo
	Verdict     Verdict
}

// Decoder is the decoding side of one connection.
type Decoder struct {
	d    *xh.Decoder
	list []xh.HeaderField
	err  error
}

// Begin begins a block.
func (d *Decoder) Begin(b []byte) {
	if d.d == nil {
		d.d = xh.NewDecoder(4096, nil)
	}
	d.list, d.err = d.d.DecodeFull(b)
}

// Next returns the next field, whose bytes are appended to arena.
func (d *Decoder) Next(arena []byte) (f Field, grown []byte, err error) {
	if d.err != nil {
		return f, arena, d.err
	}
	if len(d.list) == 0 {
		return f, arena, io.EOF
	}
	h := d.list[0]
	d.list = d.list[1:]
	n := len(arena)
	arena = append(arena, h.Name...)
	m := len(arena)
	arena = append(arena, h.Value...)
	f.Name, f.Value = arena[n:m:m], arena[m:len(arena):len(arena)]
	f.ID = wire.Lookup(f.Name)
	switch h.Name {
	case ":method":
		f.Pseudo = Method
	case ":scheme":
		f.Pseudo = Scheme
	case ":authority":
		f.Pseudo = Authority
	case ":path":
		f.Pseudo = Path
	case ":protocol":
		f.Pseudo = Protocol
	case ":status":
		f.Pseudo = Status
	default:
		if h.Name != "" && h.Name[0] == ':' {
			f.Pseudo = UnknownPseudo
		}
	}
	for i, c := range h.Name {
		if c == ':' && i > 0 || c >= 'A' && c <= 'Z' || c <= ' ' || c > 0x7e || c == '_' {
			f.Verdict |= BadName
		}
	}
	if h.Name == "" {
		f.Verdict |= BadName
	}
	if v := f.Value; len(v) > 0 && (v[0] == ' ' || v[0] == 9 || v[len(v)-1] == ' ' || v[len(v)-1] == 9) {
		f.Verdict |= BadValue
	}
	for _, c := range []byte(h.Value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			f.Verdict |= BadValue
		}
	}
	return f, arena, nil
}

// AppendTableSize appends a dynamic table size update.
func AppendTableSize(dst []byte, n uint32) []byte { return append(dst, 0x20) }

// AppendStatus appends :status.
func AppendStatus(dst []byte, s int) []byte {
	return AppendFieldString(dst, ":status", []byte(strconv.Itoa(s)))
}

// AppendField appends a field.
func AppendField(dst []byte, id wire.Name, name, value []byte) []byte {
	return AppendFieldString(dst, string(name), value)
}
func lit(dst []byte, n int) []byte {
	if n < 127 {
		return append(dst, byte(n))
	}
	dst = append(dst, 127)
	n -= 127
	for n >= 128 {
		dst = append(dst, byte(n&0x7f|0x80))
		n >>= 7
	}
	return append(dst, byte(n))
}

// AppendFieldString appends a field.
func AppendFieldString(dst []byte, name string, value []byte) []byte {
	dst = append(dst, 0)
	dst = append(lit(dst, len(name)), name...)
	return append(lit(dst, len(value)), value...)
}
