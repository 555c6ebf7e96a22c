package syslog

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"time"
)

// patience bounds each try to connect and each call of Write.
const patience = 2 * time.Second

// Pauses between two tries to connect, doubled from one failure to the next.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)

// ErrAway is why lines are lost between two tries to connect.
var ErrAway = errors.New("the syslog is away")

// Syslog is a connection to a syslog, made when there is something to say. One
// goroutine at a time may use it.
type Syslog struct {
	network, address string
	writer           writer
	conn             net.Conn // nil for none
	stream           bool
	next             time.Time // before which nobody tries to connect
	pause            time.Duration

	batch   []byte // messages of one write
	ends    []int  // where each of them ends in it
	message []byte // scratch
}

// New returns a Syslog at an address: a path with the network "unix", be it of
// datagrams or of a stream, host:port with "udp" or "tcp".
func New(network, address string) *Syslog {
	return &Syslog{network: network, address: address, writer: newWriter(network == "unix"), pause: firstPause}
}

// Write sends the lines in p, which are whole, and returns how many bytes of them were
// taken: whole lines again.
func (s *Syslog) Write(p []byte) (int, error) { return s.write(p, time.Now()) }

// write is Write at a given time. A connection that breaks is replaced at once by a new
// one, for the lines that are left, if it was not made a moment ago.
func (s *Syslog) write(p []byte, now time.Time) (n int, err error) {
	until := time.Now().Add(patience)
	for {
		if away := s.connect(now, until); away != nil {
			return n, cmp.Or(err, away)
		}
		var sent int
		if sent, err = s.send(p[n:], now, until); err == nil {
			return len(p), nil
		}
		n += sent
		err = fmt.Errorf("syslog: %w", err)
		s.Close()
	}
}

// Close ends the connection, if there is one. The next Write makes another.
func (s *Syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}
