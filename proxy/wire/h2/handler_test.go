package h2

import (
	"fmt"
	"io"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// readBody reads a whole body, as the gate does.
func readBody(s *Stream) (body []byte, err error) {
	held, whole, err := s.Hold(wire.MaxHold)
	body = append(body, held...)
	for piece := make([]byte, 1000); err == nil && !whole; {
		var n int
		n, err = s.Read(piece)
		body = append(body, piece[:n]...)
	}
	if err == io.EOF {
		err = nil
	}
	return body, err
}

// refuse answers err, if there is somebody to answer.
func refuse(s *Stream, err error) {
	why := wire.ReasonOf(err, reason.BackendError)
	if why == reason.ClientClosed {
		s.Abort(why)
		return
	}
	s.Start(why.Status())
	s.Frame(0)
	if s.Finish(nil, nil) != nil {
		s.Abort(reason.ClientClosed)
	}
}

// echo answers with the body and its trailers.
func echo(s *Stream) {
	_, err := s.ReadHead(time.Now())
	var body []byte
	if err == nil {
		body, err = readBody(s)
	}
	if err != nil {
		refuse(s, err)
		return
	}
	s.Start(200)
	s.Frame(int64(len(body)))
	s.Finish(body, s.Trailers())
}

// told answers with what the request's head says.
func told(s *Stream) {
	r, err := s.ReadHead(time.Now())
	if err == nil {
		_, err = readBody(s)
	}
	if err != nil {
		refuse(s, err)
		return
	}
	text := fmt.Appendf(nil, "%s %s %s %d", r.Method, r.Target, r.Authority, r.Length)
	for i := range r.Fields.All() {
		if f := &r.Fields.All()[i]; !f.Gone {
			text = fmt.Appendf(text, " %s=%s", f.Name, f.Value)
		}
	}
	s.Start(200)
	s.Field("x-said", text)
	s.Frame(0)
	s.Finish(nil, nil)
}

// answering answers with n bytes, without a look at the body.
func answering(n int) func(*Stream) {
	return func(s *Stream) {
		s.ReadHead(time.Now())
		s.Start(200)
		s.Frame(int64(n))
		if err := s.Finish([]byte(letters(n)), nil); err != nil {
			s.Abort(wire.ReasonOf(err, reason.ClientClosed))
		}
	}
}
