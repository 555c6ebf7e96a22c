package h2

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6455 section 4.2.2 has it so; it protects nothing
	"encoding/base64"
	"io"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/hpack"
)

// connect reads a CONNECT. With :protocol it asks for a websocket (RFC 8441), which
// becomes the GET with a key of ours that a backend knows; a plain one asks for a tunnel
// to anywhere, which nobody gets.
func (h *head) connect(config *Config, endStream bool) error {
	r := &h.s.req
	switch {
	case h.protocol == nil:
		return &wire.Error{Reason: reason.MethodNotExposed, What: "CONNECT"}
	case string(r.Method) != "CONNECT" || !config.Connect:
		return malformed("a :protocol that was not offered")
	case string(h.protocol) != "websocket" || endStream || r.Fields.Has(wire.ContentLength):
		return malformed("a :protocol other than websocket, or a body in its place")
	}
	var key [16]byte
	rand.Read(key[:]) //nolint:errcheck // it cannot fail
	h.s.key = base64.StdEncoding.EncodeToString(key[:])
	r.Method, r.Upgrade = []byte("GET"), true
	for i := range r.Fields.All() {
		if f := &r.Fields.All()[i]; string(f.Name) == "sec-websocket-key" {
			f.Gone = true
		}
	}
	r.Fields.Add(wire.Other, []byte("sec-websocket-key"), []byte(h.s.key))
	h.s.tunnel, h.s.taking = true, true
	return nil
}

// keyGUID is what RFC 6455 section 1.3 has a server append to the key.
const keyGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// accepted returns what a backend says that has understood the key.
func accepted(key string) string {
	sum := sha1.Sum([]byte(key + keyGUID)) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Switch implements wire.Stream: a websocket of RFC 8441 begins with 200.
func (s *Stream) Switch(fields *wire.Fields) (wire.Tunnel, error) {
	s.head = hpack.AppendStatus(s.head[:0], 200)
	agreed := false
	for i := range fields.All() {
		f := &fields.All()[i]
		switch {
		case string(f.Name) == "sec-websocket-accept":
			agreed = string(f.Value) == accepted(s.key)
		case !f.Gone && f.ID != wire.ContentLength:
			s.head = hpack.AppendField(s.head, f.ID, f.Name, f.Value)
		}
	}
	if !agreed {
		return nil, &wire.Error{Reason: reason.BackendMalformed, What: "the backend did not accept the websocket's key"}
	}
	s.status, s.length, s.continued = 200, wire.Unknown, true
	t := (*tunnel)(s)
	t.SetDeadline(time.Now().Add(s.conn.config.Write)) //nolint:errcheck // it has no way to fail
	return t, s.Write(nil)
}

// tunnel is a stream that carries a websocket.
type tunnel Stream

// Read implements wire.Tunnel.
func (t *tunnel) Read(p []byte) (int, error) { return (*Stream)(t).Read(p) }

// Write implements wire.Tunnel.
func (t *tunnel) Write(p []byte) (int, error) {
	if err := (*Stream)(t).Write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// SetDeadline implements wire.Tunnel.
func (t *tunnel) SetDeadline(until time.Time) error {
	s := (*Stream)(t)
	s.conn.mu.Lock()
	s.until = until
	s.conn.mu.Unlock()
	s.wake()
	return nil
}

// Close implements wire.Tunnel: it says the end, if the client has not given up, and
// ends Reads and Writes that wait.
func (t *tunnel) Close() error {
	s := (*Stream)(t)
	s.Stop()
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.ended || s.goneLocked() != nil {
		return io.ErrClosedPipe
	}
	s.dataLocked(nil, flagEndStream)
	s.finishLocked()
	c.flushLocked()
	return nil
}
