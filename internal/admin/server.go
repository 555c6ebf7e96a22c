package admin

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// goodbye is how long answers that have begun get at the end.
const goodbye = 5 * time.Second

// Server serves a handler with the limits of a side that is not trusted.
type Server struct {
	http  http.Server
	conns sync.WaitGroup
}

// NewServer returns a server for h. What net/http has to complain about goes
// to complaints; nil is standard error.
func NewServer(h http.Handler, complaints *log.Logger) *Server {
	s := &Server{http: http.Server{
		Handler:           h,
		ErrorLog:          complaints,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute, // longer than a scrape interval
		MaxHeaderBytes:    8 << 10,
	}}
	s.http.ConnState = s.follow
	return s
}

// Run serves ln, which it closes, until ctx ends, lets answers finish, and
// returns nil. It must be called once.
//
// Shutdown of net/http is of no use here: it drops a request that is read in the moment it
// begins, which a verb would take for a gate that is broken.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(ln) }()

	select {
	case err := <-served:
		return fmt.Errorf("admin %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	ln.Close() // which ends Serve, or it has been closed
	<-served
	s.http.SetKeepAlivesEnabled(false) // closes those that wait, and the others behind their answers
	s.awaitEnd()
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("admin: end: %w", err)
	}
	return nil
}

// awaitEnd waits for the connections to end, for a while.
func (s *Server) awaitEnd() {
	ended := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(goodbye):
	}
}

// follow counts connections.
func (s *Server) follow(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	}
}
