package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/internal/supervisor"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/tlsconf"
)

// inheritVariable is the variable of the environment that says what a process inherits.
// What begins with TRACKGATE_ would be read as a setting.
const inheritVariable = "GATE_INHERITS"

// inheritance is what a process gives to the one that takes over from it. Sockets and pipes
// are numbers of file descriptors.
type inheritance struct {
	Sockets []int               `json:"sockets"` // that listen: for clients and for operators
	Ready   int                 `json:"ready"`   // gets a byte when the new process serves
	Secrets int                 `json:"secrets"` // memory with a legacy, 0 for none: what is in the environment can be read
	Drained map[string][]string `json:"drained"` // by operators: backends of each pool, by address
}

// firstDescriptor is the one after standard input, output and error.
const firstDescriptor = 3

// heir is a process that may have inherited something.
type heir struct {
	sockets []net.Listener
	ready   *os.File // nil: nobody waits
	drained map[string][]string
	tickets tlsconf.Legacy
	trouble error // with these, which nothing else depends on
}

// inherit takes what the process that started this one, or a service manager, has opened
// for it.
func inherit() (heir, error) {
	activated, err := supervisor.Sockets()
	if err != nil {
		return heir{}, err
	}
	h := heir{sockets: activated}
	text := os.Getenv(inheritVariable)
	if text == "" {
		return h, nil
	}
	os.Unsetenv(inheritVariable)
	var in inheritance
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return h, fmt.Errorf("%s: %w", inheritVariable, err)
	}
	h.ready, h.drained = os.NewFile(uintptr(in.Ready), "ready"), in.Drained
	for _, fd := range in.Sockets {
		l, err := listenerOf(fd)
		if err != nil {
			return h, errors.Join(err, h.close())
		}
		h.sockets = append(h.sockets, l)
	}
	h.tickets, h.trouble = readSecrets(in.Secrets)
	return h, nil
}

// secretsOf puts what is for the other process alone into memory that has a descriptor.
func secretsOf(left tlsconf.Legacy) (*os.File, error) {
	text, err := json.Marshal(left)
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("trackgate", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "secrets")
	if _, err := f.Write(text); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readSecrets reads what secretsOf has written. A process of before has left nothing.
func readSecrets(fd int) (left tlsconf.Legacy, err error) {
	if fd == 0 {
		return left, nil
	}
	f := os.NewFile(uintptr(fd), "secrets")
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxSecrets))
	if err == nil {
		err = json.Unmarshal(text, &left)
	}
	if err != nil {
		return tlsconf.Legacy{}, fmt.Errorf("descriptor %d has no secrets: %w", fd, err)
	}
	return left, nil
}

// maxSecrets is more than the keys of all listeners take, in bytes.
const maxSecrets = 16 << 20

func listenerOf(fd int) (net.Listener, error) {
	f := os.NewFile(uintptr(fd), "socket")
	defer f.Close() // the listener has one of its own
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d is no socket that listens: %w", fd, err)
	}
	return l, nil
}

func (h heir) close() (err error) {
	for _, l := range h.sockets {
		err = errors.Join(err, l.Close())
	}
	return err
}

// isForOperators reports whether a socket is at the admin address.
func (s *server) isForOperators(l net.Listener) bool {
	at := s.settings().Admin.Address
	return at != "" && proxy.ListensAt(at, l.Addr())
}

// readyPace is how often it is looked whether the gate serves.
const readyPace = 20 * time.Millisecond

// tellReady tells the process that waits for it that this one serves.
func (s *server) tellReady(ctx context.Context) {
	if s.heir.ready == nil {
		return
	}
	defer s.heir.ready.Close()
	tick := time.NewTicker(readyPace)
	defer tick.Stop()
	for s.gate.Ready() != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	if _, err := s.heir.ready.Write([]byte{1}); err != nil {
		s.log.Error().Err(err).Msg("the process before this one cannot be told that it is over")
	}
}
