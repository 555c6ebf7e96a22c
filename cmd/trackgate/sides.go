package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/admin"
	"github.com/trackgate/trackgate/proxy"
)

// The sides for operators, as the settings call them: the address is for reading, the
// socket for verbs as well.
const (
	addressSide = "address"
	socketSide  = "socket"
)

// sides are what operators come to. Settings may move them while the gate runs.
type sides struct {
	mu     sync.Mutex
	at     map[string]string // where each is, by the settings; "" for nowhere
	opened map[string]net.Listener
	stops  map[string]context.CancelFunc
	start  func(side string, l net.Listener) // nil until run
}

func placesOf(a configs.Admin) map[string]string {
	return map[string]string{addressSide: a.Address, socketSide: a.Socket}
}

// open opens the sides of the settings that a gate starts with.
func (s *sides) open(ctx context.Context, a configs.Admin, log zerolog.Logger) error {
	s.at, s.opened, s.stops = map[string]string{}, map[string]net.Listener{}, map[string]context.CancelFunc{}
	c, err := s.prepare(ctx, a, log)
	if err == nil {
		c.commit()
	}
	return err
}

// sidesChange are sides that are open and not served yet.
type sidesChange struct {
	sides  *sides
	at     map[string]string
	opened map[string]net.Listener
}

// prepare opens the sides that are elsewhere now. A gate serves without its socket, which
// it may not be allowed to make: then it can be asked at its address only.
func (s *sides) prepare(ctx context.Context, a configs.Admin, log zerolog.Logger) (*sidesChange, error) {
	c := &sidesChange{sides: s, at: placesOf(a), opened: map[string]net.Listener{}}
	if at := c.at[addressSide]; at != "" && at != s.at[addressSide] {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", at)
		if err != nil {
			return nil, fmt.Errorf("admin.address: %w%s", err, proxy.Holder(at, err))
		}
		c.opened[addressSide] = l
	}
	if at := c.at[socketSide]; at != "" && (at != s.at[socketSide] || s.opened[socketSide] == nil) {
		l, err := listenSocket(at)
		if err != nil {
			log.Warn().Err(err).Msg("the gate serves without its admin socket: verbs cannot reach it")
			return c, nil
		}
		c.opened[socketSide] = l
	}
	return c, nil
}

func (c *sidesChange) cancel() {
	for _, l := range c.opened {
		l.Close()
	}
}

// commit serves what was opened, and no more what is elsewhere now.
func (c *sidesChange) commit() {
	s := c.sides
	s.mu.Lock()
	defer s.mu.Unlock()
	for side, at := range c.at {
		l := c.opened[side]
		if l == nil && at == s.at[side] {
			continue
		}
		if stop := s.stops[side]; stop != nil {
			stop()
		}
		delete(s.stops, side)
		delete(s.opened, side)
		if s.at[side] = at; l == nil {
			continue
		}
		if s.opened[side] = l; s.start != nil {
			s.start(side, l)
		}
	}
}

// run serves all sides with their handlers until ctx ends.
func (s *sides) run(ctx context.Context, handlers map[string]http.Handler, zl zerolog.Logger) {
	var working sync.WaitGroup
	s.mu.Lock()
	s.start = func(side string, l net.Listener) {
		inner, stop := context.WithCancel(ctx)
		s.stops[side] = stop
		working.Go(func() {
			err := admin.NewServer(handlers[side], log.New(zl, "", 0)).Run(inner, l)
			if err != nil && !errors.Is(err, http.ErrServerClosed) {
				zl.Error().Err(err).Str("side", side).Msg("the admin side has ended")
			}
		})
	}
	for side, l := range s.opened {
		s.start(side, l)
	}
	s.mu.Unlock()
	<-ctx.Done()
	working.Wait()
}

// socketMode lets the group of the gate in, too.
const socketMode = 0o660

// listenSocket makes a unix socket. One that a gate left behind which has crashed is
// replaced; one that is in use is not.
func listenSocket(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("admin.socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) && isLeft(path) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("admin.socket: %w", err)
		}
		l, err = net.Listen("unix", path)
	}
	if err != nil {
		return nil, fmt.Errorf("admin.socket: %w", err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, fmt.Errorf("admin.socket: %w", err)
	}
	return l, nil
}

// isLeft reports whether path is a socket at which nobody listens any more.
func isLeft(path string) bool {
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
