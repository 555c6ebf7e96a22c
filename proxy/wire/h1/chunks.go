package h1

import (
	"github.com/trackgate/trackgate/proxy/wire"
)

// Bounds of the chunked coding, beside those of the body.
const (
	maxChunkExtension  = 256      // bytes of extensions of one chunk
	maxChunkExtensions = 4 << 10  // bytes of extensions of one body
	maxChunkExcess     = 16 << 10 // bytes of framing beyond 16 and twice the data a chunk
	maxTrailer         = 4 << 10  // bytes of the trailer section
	maxTrailerFields   = 32
)

// Chunks undoes the chunked transfer coding (RFC 9112 section 7.1), however the
// bytes come. Extensions are read and dropped. The zero value is ready.
type Chunks struct {
	state     chunkState
	size      int64 // of the chunk: what is left of its data
	digits    int
	extension int  // bytes of the chunk's extensions
	quoted    bool // inside of a quoted extension value
	escaped   bool // behind a backslash in one
	allExt    int
	excess    int64
	line      int // bytes of the trailer line so far
	trailer   []byte
	fields    wire.Fields
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExt
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailer
	chunkDone
)

// Reset makes c ready for another body.
func (c *Chunks) Reset() {
	trailer, fields := c.trailer[:0], c.fields
	fields.Reset()
	*c = Chunks{trailer: trailer, fields: fields}
}

// Done reports whether the last chunk and the trailer section were read.
func (c *Chunks) Done() bool { return c.state == chunkDone }

// Trailers returns the trailer fields, once Done. Those that may not be passed on
// are marked as gone (RFC 9110 section 6.5.1).
func (c *Chunks) Trailers() *wire.Fields { return &c.fields }

// Decode reads coded bytes from src and writes data to dst, which may be the
// beginning of src. It returns how many bytes it wrote and read; it stops when
// dst is full, src is empty, or the body has ended. An error is a *wire.Error.
func (c *Chunks) Decode(dst, src []byte) (written, read int, err error) {
	for read < len(src) && c.state != chunkDone {
		if c.state == chunkData {
			n := copy(dst[written:], src[read:read+int(min(c.size, int64(len(src)-read)))])
			if n == 0 {
				return written, read, nil
			}
			written, read = written+n, read+n
			if c.size -= int64(n); c.size == 0 {
				c.state = chunkDataCR
			}
			continue
		}
		if err := c.step(src[read]); err != nil {
			return written, read, err
		}
		read++
	}
	return written, read, nil
}

// step takes one byte of framing.
func (c *Chunks) step(b byte) error {
	switch c.state {
	case chunkSize:
		return c.stepSize(b)
	case chunkExt:
		return c.stepExtension(b)
	case chunkSizeLF:
		return c.endSize(b)
	case chunkDataCR:
		c.state = chunkDataLF
		return want(b, '\r')
	case chunkDataLF:
		c.state = chunkSize
		return want(b, '\n')
	default:
		return c.stepTrailer(b)
	}
}

func want(got, wanted byte) error {
	if got != wanted {
		return malformed("a chunk that does not end in CR LF")
	}
	return nil
}

// stepSize reads chunk-size: 1 to 16 hexadecimal digits below 2^63.
func (c *Chunks) stepSize(b byte) error {
	if digit, ok := hexDigit(b); ok {
		if c.digits++; c.digits > 16 || c.size >= 1<<59 {
			return malformed("a chunk size that is too large")
		}
		c.size = c.size<<4 | int64(digit)
		return nil
	}
	switch {
	case c.digits == 0:
		return malformed("a chunk size that is not a hexadecimal number")
	case b == ';':
		c.state = chunkExt
	case b == '\r':
		c.state = chunkSizeLF
	default:
		return malformed("a byte behind a chunk size that may not be there")
	}
	return nil
}

func hexDigit(b byte) (byte, bool) {
	switch {
	case '0' <= b && b <= '9':
		return b - '0', true
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return b | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// stepExtension passes over chunk-ext, within bounds. A quoted value must end
// before its line does: others might read on in the data.
func (c *Chunks) stepExtension(b byte) error {
	if b == '\r' && !c.quoted {
		c.state = chunkSizeLF
		return nil
	}
	c.extension++
	c.allExt++
	if class[b]&valueByte == 0 || c.extension > maxChunkExtension || c.allExt > maxChunkExtensions {
		return malformed("a chunk extension that is too long or has a byte that may not be there")
	}
	if b == '"' && !c.escaped {
		c.quoted = !c.quoted
	}
	c.escaped = c.quoted && b == '\\' && !c.escaped
	return nil
}

// endSize ends the line of a chunk's size and counts what framing has cost, so
// that a small body cannot keep the gate busy with framing alone.
func (c *Chunks) endSize(b byte) error {
	c.excess = max(0, c.excess+int64(c.digits+c.extension)+4-16-2*min(c.size, maxChunkExcess))
	if c.excess > maxChunkExcess {
		return malformed("chunks with more framing than data")
	}
	c.state = chunkData
	if c.size == 0 {
		c.state = chunkTrailer
	}
	c.digits, c.extension = 0, 0
	return want(b, '\n')
}

// stepTrailer collects the trailer section, which ends with an empty line.
func (c *Chunks) stepTrailer(b byte) error {
	if len(c.trailer) >= maxTrailer {
		return malformed("a trailer section that is too long")
	}
	c.trailer = append(c.trailer, b)
	if b != '\n' {
		c.line++
		return nil
	}
	if n := len(c.trailer); n < 2 || c.trailer[n-2] != '\r' {
		return malformed("a trailer line that does not end in CR LF")
	}
	if c.line > 1 {
		c.line = 0
		return nil
	}
	c.state = chunkDone
	if err := parseFields(c.trailer, &c.fields, maxTrailerFields, inTrailer); err != nil {
		return malformed("a trailer section that is not well-formed")
	}
	return nil
}

// AppendChunk appends p as one chunk, which must not be empty.
func AppendChunk(dst, p []byte) []byte {
	dst = AppendHex(dst, uint64(len(p)))
	dst = append(dst, '\r', '\n')
	dst = append(dst, p...)
	return append(dst, '\r', '\n')
}

// AppendLastChunk appends the chunk that ends a body, and the trailer fields
// that are not gone; t may be nil.
func AppendLastChunk(dst []byte, t *wire.Fields) []byte {
	dst = appendFields(append(dst, '0', '\r', '\n'), t)
	return append(dst, '\r', '\n')
}

// AppendHex appends n in lower-case hexadecimal.
func AppendHex(dst []byte, n uint64) []byte {
	shift := 60
	for shift > 0 && n>>shift == 0 {
		shift -= 4
	}
	for ; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[n>>shift&15])
	}
	return dst
}

// appendFields appends the fields that are not gone, a line each. Those that
// frame are never among them: this side of the exchange has its own. f may be
// nil.
func appendFields(dst []byte, f *wire.Fields) []byte {
	if f == nil {
		return dst
	}
	for i := range f.All() {
		field := &f.All()[i]
		if !field.Gone && field.ID != wire.ContentLength && !field.ID.HopByHop() {
			dst = AppendField(dst, field.Name, field.Value)
		}
	}
	return dst
}

// AppendField appends one field line.
func AppendField(dst, name, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':', ' ')
	dst = append(dst, value...)
	return append(dst, '\r', '\n')
}
