package proxy

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/trackgate/trackgate/proxy/backend"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/h1"
)

// upload sends a body that is too large to hold, while the exchange's goroutine
// waits for the answer, which may come early. It is the only place where two
// goroutines work for one exchange: the upload reads from the stream and writes
// to the backend, the other reads from the backend, and writes to the stream
// only when the upload has ended.
type upload struct {
	gate     *Gate
	listener *listener
	stream   wire.Stream
	bc       *backend.Conn
	chunked  bool
	err      error // of the client's side; valid when done is closed
	whole    bool  // the body was sent to its end; valid when done is closed
	stopped  atomic.Bool
	done     chan struct{}
}

// startUpload writes head and begins to send the body.
func (g *Gate) startUpload(x *exchange, head []byte) error {
	if err := x.bc.Streaming(head, x.asked); err != nil {
		return err
	}
	x.upload = &upload{
		gate: g, listener: x.listener, stream: x.stream, bc: x.bc,
		chunked: x.req.Length == wire.Unknown, done: make(chan struct{}),
	}
	go x.upload.run(x.held)
	return nil
}

// run sends held, then the rest of the body.
func (u *upload) run(held []byte) {
	defer close(u.done)
	defer u.survive()
	if u.write(held) != nil {
		return // the backend may have answered; whoever reads from it will know
	}
	buffer := make([]byte, maxJoined)
	for {
		n, err := u.stream.Read(buffer)
		if u.write(buffer[:n]) != nil {
			return
		}
		switch {
		case err == io.EOF:
			u.whole = u.end() == nil
			return
		case err != nil:
			if u.stopped.Load() {
				return // by us
			}
			u.err = err
			u.bc.Interrupt() // what was sent is not a whole request: nobody need wait for an answer
			return
		}
	}
}

// write sends a part of the body.
func (u *upload) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if u.chunked {
		p = h1.AppendChunk(make([]byte, 0, len(p)+16), p)
	}
	return u.bc.Write(p)
}

// end sends what stands behind the last byte.
func (u *upload) end() error {
	if !u.chunked {
		return nil
	}
	return u.bc.Write(h1.AppendLastChunk(nil, u.listener.strike(u.stream.Trailers())))
}

// ended reports whether run has returned.
func (u *upload) ended() bool {
	select {
	case <-u.done:
		return true
	default:
		return false
	}
}

// settle lets an upload end that has sent its last byte: the answer to it may be
// faster than the goroutine that sent it. One that goes on is not waited for.
func (u *upload) settle() {
	if u.ended() {
		return
	}
	timer := time.NewTimer(settleTime)
	defer timer.Stop()
	select {
	case <-u.done:
	case <-timer.C:
	}
}

const settleTime = 10 * time.Millisecond

// stop ends the upload, wherever it stands, and waits for its goroutine.
func (u *upload) stop() {
	for !u.ended() {
		u.stopped.Store(true)
		u.stream.Stop()
		u.bc.StopWrite()
		select {
		case <-u.done:
		case <-time.After(10 * time.Millisecond): // a deadline was moved in between
		}
	}
}

// readHead reads the next head of the answer. A backend has its full time from
// the end of the upload on.
func (x *exchange) readHead() (*wire.Response, error) {
	u := x.upload
	if u == nil {
		return x.bc.ReadHead(x.req.Method)
	}
	for {
		before := u.ended()
		res, err := x.bc.ReadHead(x.req.Method)
		if errors.Is(err, os.ErrDeadlineExceeded) && !before {
			continue
		}
		if err == nil && res.Informational() {
			return res, nil
		}
		u.settle()
		u.stop()
		return u.blame(res, err)
	}
}

// blame decides whose fault a failed exchange was: a client that did not send
// its body is not the backend's.
func (u *upload) blame(res *wire.Response, err error) (*wire.Response, error) {
	var client *wire.Error
	if err != nil && errors.As(u.err, &client) {
		return nil, u.err
	}
	if u.whole {
		u.bc.Sent()
	}
	return res, err
}
