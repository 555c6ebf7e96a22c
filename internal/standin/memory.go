package standin

import (
	"io"
	"maps"
	"net/http"
	"sync"
)

// The stand-in forgets nothing, up to these bounds.
const (
	bodyMost = 16 << 20 // bytes; what is longer is cut, and so no JSON
	seenMost = 1 << 20  // event ids
)

// Request is one request as it came out of the gate.
type Request struct {
	Method string
	Target string // as it was on the wire
	Host   string
	Header http.Header
	Body   []byte
	Remote string
}

// memory is what a stand-in was sent.
type memory struct {
	mu    sync.Mutex
	count int
	last  Request
	seen  map[string]int
	most  int // ids in seen
}

// receive reads the body and remembers the request.
func (s *Server) receive(r *http.Request) []byte {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyMost))
	if err != nil {
		body = nil // cut short: no JSON either
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	s.memory.count++
	s.memory.last = Request{
		Method: r.Method, Target: r.RequestURI, Host: r.Host,
		Header: r.Header.Clone(), Body: body, Remote: r.RemoteAddr,
	}
	return body
}

func (m *memory) accept(events []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range events {
		if m.seen[id] > 0 || len(m.seen) < m.most {
			m.seen[id]++
		}
	}
}

// Requests returns how many requests came, of any kind.
func (s *Server) Requests() int {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return s.memory.count
}

// Last returns the request that came last.
func (s *Server) Last() Request {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return s.memory.last
}

// Seen returns how often each event was accepted, by id. Ids beyond the first
// million are not counted.
func (s *Server) Seen() map[string]int {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return maps.Clone(s.memory.seen)
}
