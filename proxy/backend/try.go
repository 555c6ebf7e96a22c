package backend

import (
	"syscall"

	"github.com/trackgate/trackgate/proxy/socket"
)

// try is one call of the kernel that does not wait, not even for the deadline in
// force to be looked at.
type try struct {
	do    func(fd uintptr) // read or write, bound once
	p     []byte
	n     int
	errno syscall.Errno
}

func (t *try) read(fd uintptr) { t.n, t.errno = socket.Read(fd, t.p) }

func (t *try) write(fd uintptr) { t.n, t.errno = socket.Write(fd, t.p) }

// once does it with p, which is not empty. EAGAIN says that there was nothing to
// read, or no room.
func (t *try) once(c *socket.Conn, p []byte) (int, error) {
	t.p = p
	err := c.Raw().Control(t.do)
	t.p = nil
	if err == nil && t.errno != 0 {
		err = t.errno
	}
	if err != nil {
		return 0, err
	}
	return t.n, nil
}
