package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// takeoverTime is how long a new process may take until it serves.
const takeoverTime = time.Minute

// successor is the process that has taken over.
type successor struct {
	PID    int `json:"pid"`
	Before int `json:"before"` // the one that answers
}

// errRelieved says that it is too late to ask this process for anything.
var errRelieved = errors.New("another process has taken over meanwhile: say it once more")

// programPath is the file that the program was started as, to be found before anything
// changes: a new version is put in its place.
func programPath() (string, error) {
	path, err := exec.LookPath(os.Args[0])
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// upgrade starts the program that is installed now with the sockets of this one, and ends
// when it serves. If it does not come to that, nothing has changed.
func (s *server) upgrade() (successor, error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	switch {
	case s.relieved:
		return successor{}, errRelieved
	case s.onTrial != nil:
		return successor{}, errOnTrial
	case os.Getpid() == 1:
		return successor{}, errors.New("this process is the first one of its container, which would end with it: start another container")
	case s.file == "":
		return successor{}, errNoFile
	}
	process, err := s.startSuccessor()
	if err != nil {
		s.log.Error().Err(err).Msg("no other process has taken over")
		return successor{}, err
	}
	by := successor{PID: process.Pid, Before: os.Getpid()}
	s.log.Info().Int("pid", by.PID).Msg("another process has taken over")
	s.relieved = true
	s.manager.HandOver(by.PID)
	s.gate.HandOver()
	s.sides.handOver()
	s.leave()
	return by, nil
}

// startSuccessor returns the new process as soon as it serves.
func (s *server) startSuccessor() (*os.Process, error) {
	sockets, err := descriptors(append(s.gate.Sockets(), s.sides.sockets()...))
	defer closeDescriptors(sockets)
	if err != nil {
		return nil, err
	}
	heard, says, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer heard.Close()
	pid, err := s.fork(sockets, says)
	says.Close()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.program, err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return nil, err
	}
	if err := awaitByte(heard); err != nil {
		process.Kill() //nolint:errcheck // it may have ended
		return nil, fmt.Errorf("%s did not serve: %w", s.program, err)
	}
	return process, nil
}

// fork starts this program as it was started, but for what it inherits. Package os/exec
// would make the sockets, which both processes have, block.
//
// The new process is a child of who started this one. As long as it was one of ours, systemd
// would take it for a stranger for ever: it follows such a main process, but does not wait
// for its end when it stops the service, and kills it while it drains.
func (s *server) fork(sockets []int, says *os.File) (pid int, err error) {
	in := inheritance{Drained: s.gate.Drained()}
	files := []uintptr{0, 1, 2}
	hand := func(fd uintptr) (number int) {
		files = append(files, fd)
		return len(files) - 1
	}
	for _, fd := range sockets {
		in.Sockets = append(in.Sockets, hand(uintptr(fd)))
	}
	in.Ready = hand(says.Fd())
	if secrets, err := secretsOf(s.keeper().Legacy()); err != nil {
		s.log.Warn().Err(err).Msg("visitors will not resume: keys cannot be handed on")
	} else {
		defer secrets.Close()
		in.Secrets = hand(secrets.Fd())
	}
	text, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	return syscall.ForkExec(s.program, os.Args, &syscall.ProcAttr{
		Env:   append(slices.DeleteFunc(slices.Clone(s.environment), ofThisProcess), inheritVariable+"="+string(text)),
		Files: files,
		Sys:   &syscall.SysProcAttr{Cloneflags: syscall.CLONE_PARENT},
	})
}

// descriptors returns copies of the descriptors of sockets.
func descriptors(sockets []syscall.Conn) (copies []int, err error) {
	for _, socket := range sockets {
		raw, err := socket.SyscallConn()
		if err != nil {
			return copies, err
		}
		var failed error
		err = raw.Control(func(fd uintptr) {
			var copied int
			if copied, failed = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, firstDescriptor); failed == nil {
				copies = append(copies, copied)
			}
		})
		if err := errors.Join(err, failed); err != nil {
			return copies, err
		}
	}
	return copies, nil
}

func closeDescriptors(copies []int) {
	for _, fd := range copies {
		unix.Close(fd) //nolint:errcheck // a copy
	}
}

// ofThisProcess reports whether a variable is of a service manager for the process that it
// has started, and no other.
func ofThisProcess(variable string) bool {
	for _, name := range []string{"WATCHDOG_PID=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", inheritVariable + "="} {
		if strings.HasPrefix(variable, name) {
			return true
		}
	}
	return false
}

// awaitByte waits for word that the new process serves.
func awaitByte(heard *os.File) error {
	if err := heard.SetReadDeadline(time.Now().Add(takeoverTime)); err != nil {
		return err
	}
	_, err := heard.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("it said nothing for %s", takeoverTime)
	}
	if err != nil {
		return errors.New("it has ended before, as its log tells")
	}
	return nil
}

// sockets are those that operators come to.
func (s *sides) sockets() (sockets []syscall.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.opened {
		if c, ok := l.(syscall.Conn); ok {
			sockets = append(sockets, c)
		}
	}
	return sockets
}

// handOver serves no operators any more: another process does. A socket's file is its.
func (s *sides) handOver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for side, l := range s.opened {
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false)
		}
		if stop := s.stops[side]; stop != nil {
			stop()
		}
	}
}
