package backend

// records follows the framing of TLS (RFC 8446 section 5.1) in what is read, to
// know whether crypto/tls has half a record in its buffer: it has no word for
// that, and the other half must not be taken for the answer to a new request.
type records struct {
	head int // bytes of a header that were read
	left int // bytes of the record that are to come, once its header is whole
}

// headerSize is that of a record: type, version, and length in the last two.
const headerSize = 5

// pass takes note of the next bytes.
func (r *records) pass(p []byte) {
	for len(p) > 0 {
		if r.head < headerSize {
			if r.head >= headerSize-2 {
				r.left = r.left<<8 | int(p[0])
			}
			r.head++
			p = p[1:]
		} else {
			n := min(r.left, len(p))
			r.left -= n
			p = p[n:]
		}
		if r.head == headerSize && r.left == 0 {
			r.head = 0
		}
	}
}

// whole reports whether the last record was read to its end.
func (r *records) whole() bool { return r.head == 0 }
