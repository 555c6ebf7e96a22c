package supervisor

import (
	"fmt"
	"net"
	"os"

	"github.com/coreos/go-systemd/v22/activation"
)

// Sockets returns those that the service manager has opened for this process
// (sd_listen_fds(3)), and takes them out of the environment.
func Sockets() ([]net.Listener, error) {
	if os.Getenv("LISTEN_FDS") == "" {
		return nil, nil
	}
	found, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("sockets of the service manager: %w", err)
	}
	var sockets []net.Listener
	for _, l := range found {
		if l != nil { // nil is one that does not listen
			sockets = append(sockets, l)
		}
	}
	return sockets, nil
}

// HandOver tells that another process is the gate from now on, and tells nothing more.
func (s *Supervisor) HandOver(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.send == nil {
		return
	}
	s.sendLocked(fmt.Sprintf("MAINPID=%d", pid))
	s.send = func(string) error { return nil }
}
