package standin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Server is one running stand-in.
type Server struct {
	id     string
	ln     net.Listener
	http   http.Server
	memory memory
	served chan error
}

// Start runs a stand-in on a free port of 127.0.0.1, until Close. It names
// itself id in the field x-backend of each answer.
func Start(id string) (*Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stand-in %s: %w", id, err)
	}
	return start(id, ln), nil
}

func start(id string, ln net.Listener) *Server {
	s := &Server{id: id, ln: ln, served: make(chan error, 1)}
	s.memory.seen, s.memory.most = make(map[string]int), seenMost
	s.http = http.Server{
		Handler:           s,
		IdleTimeout:       5 * time.Second, // uvicorn's --timeout-keep-alive
		ReadHeaderTimeout: time.Minute,
	}
	go func() {
		defer close(s.served)
		s.served <- s.http.Serve(ln)
	}()
	return s
}

// Addr returns its host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// Close ends it at once, connections and all, as when a backend is killed.
func (s *Server) Close() error {
	err := s.http.Close()
	if e := <-s.served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e) // e is nil when it was closed before
	}
	if err != nil {
		return fmt.Errorf("stand-in %s: %w", s.id, err)
	}
	return nil
}

// ServeHTTP answers one request the way the original would.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	body := s.receive(r)
	if isPreflight(r) {
		answerPreflight(w, r)
		return
	}
	a := s.route(r, body)
	s.fields(w.Header(), r)
	w.Header().Set("X-Process-Time", strconv.FormatFloat(time.Since(began).Seconds(), 'f', 6, 64))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.json()) // a client that is gone is no concern of a backend
}

func (s *Server) fields(h http.Header, r *http.Request) {
	h.Set("Content-Type", "application/json")
	h.Set("Server", "standin")
	h.Set("X-Backend", s.id)
	if id := r.Header.Get("X-Request-Id"); id != "" {
		h.Set("X-Seen-Request-Id", id)
	}
	allowOrigin(h, r)
}

// answer is a status and what is said as JSON.
type answer struct {
	status int
	body   any
}

// json writes the body as Python would: no HTML escapes, no line feed.
func (a answer) json() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(a.body); err != nil {
		return []byte(`{"detail":"Internal Server Error"}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// detail is how FastAPI words a mistake.
func detail(status int, what any) answer {
	return answer{status, map[string]any{"detail": what}}
}
