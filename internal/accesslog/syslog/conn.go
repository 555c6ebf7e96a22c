package syslog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connect makes a connection unless there is one. That it succeeds says little: even
// one that is lost again at once is made anew only after a pause.
func (s *Syslog) connect(now, until time.Time) error {
	if s.conn != nil && s.stream && ended(s.conn) {
		s.Close()
	}
	if s.conn != nil {
		return nil
	}
	if now.Before(s.next) {
		return ErrAway
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	if err := s.dial(ctx); err != nil {
		s.next = now.Add(s.pause)
		s.pause = min(2*s.pause, lastPause)
		return fmt.Errorf("syslog: %w", err)
	}
	s.pause = firstPause
	s.next = now.Add(firstPause)
	return nil
}

// dial connects. Of a path it is not known which kind of socket is there.
func (s *Syslog) dial(ctx context.Context) error {
	networks := []string{s.network}
	if s.network == "unix" {
		networks = []string{"unixgram", "unix"}
	}
	var d net.Dialer
	var err error
	for _, network := range networks {
		var conn net.Conn
		if conn, err = d.DialContext(ctx, network, s.address); err == nil {
			s.conn, s.stream = conn, network == "tcp" || network == "unix"
			return nil
		}
	}
	return err
}

// ended reports whether the other side has closed a stream, or said something, which no
// syslog does.
func ended(conn net.Conn) bool {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	var peeked error
	err = raw.Control(func(fd uintptr) {
		var p [1]byte
		_, _, peeked = unix.Recvfrom(int(fd), p[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	})
	return err != nil || !errors.Is(peeked, unix.EAGAIN)
}
