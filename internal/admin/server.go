package admin

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"
)

// goodbye is how long answers that have begun get at the end.
const goodbye = 5 * time.Second

// Server serves a handler with the limits of a side that is not trusted.
type Server struct {
	http http.Server
}

// NewServer returns a server for h. What net/http has to complain about goes
// to complaints; nil is standard error.
func NewServer(h http.Handler, complaints *log.Logger) *Server {
	return &Server{http: http.Server{
		Handler:           h,
		ErrorLog:          complaints,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute, // longer than a scrape interval
		MaxHeaderBytes:    8 << 10,
	}}
}

// Run serves ln, which it closes, until ctx ends, lets answers finish, and
// returns nil. It must be called once.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(ln) }()

	select {
	case err := <-served:
		return fmt.Errorf("admin %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	err := s.shutdown()
	<-served
	return errors.Join(err, s.shutdown()) // of whoever came in at the last moment
}

func (s *Server) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	if err != nil {
		return fmt.Errorf("admin: end: %w", err)
	}
	return nil
}
