package main

import (
	"errors"
	"fmt"
	"io"
)

// maxMessage bounds one message, head and body; ours have less than 2 KiB.
const maxMessage = 4 << 10

// errTooLong is a message that does not fit the reader.
var errTooLong = errors.New("message longer than 4 KiB")

// message is one whole request or answer; it is valid until the next read.
type message struct {
	head head
	body []byte
}

// messageReader reads messages of known length from one connection, one at a
// time, without allocating. It is the same for requests and answers: both ends of
// the benchmark use one shape of HTTP/1.1 only.
type messageReader struct {
	source io.Reader
	buf    []byte
	filled int
}

func newMessageReader(source io.Reader) *messageReader {
	return &messageReader{source: source, buf: make([]byte, maxMessage)}
}

// next returns the next message. It is io.EOF when the source ended between two
// messages. Bytes behind the message are an error: nobody pipelines here, so they
// would be the rest of something that was misread.
func (r *messageReader) next() (message, error) {
	r.filled = 0
	for {
		if err := r.fill(); err != nil {
			return message{}, err
		}
		m, whole, err := parseMessage(r.buf[:r.filled])
		if err != nil || whole {
			return m, err
		}
	}
}

func (r *messageReader) fill() error {
	if r.filled == len(r.buf) {
		return errTooLong
	}
	n, err := r.source.Read(r.buf[r.filled:])
	r.filled += n
	switch {
	case n > 0:
		return nil
	case err == io.EOF && r.filled > 0:
		return io.ErrUnexpectedEOF
	default:
		return err
	}
}

// parseMessage cuts data into head and body; whole is false while bytes are missing.
func parseMessage(data []byte) (m message, whole bool, err error) {
	h, ok := cutHead(data)
	if !ok {
		return message{}, false, nil
	}
	n, err := h.length()
	if err != nil {
		return message{}, false, fmt.Errorf("%q: %w", h.firstLine(), err)
	}
	body := data[len(h):]
	if len(body) > n {
		return message{}, false, fmt.Errorf("%q: %d bytes too many", h.firstLine(), len(body)-n)
	}
	return message{head: h, body: body}, len(body) == n, nil
}
