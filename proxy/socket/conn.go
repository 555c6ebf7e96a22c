package socket

import (
	"io"
	"net"
	"os"
	"syscall"
)

// Conn is a TCP connection. One goroutine may read while another writes.
type Conn struct {
	*net.TCPConn
	raw    syscall.RawConn
	in     transfer
	out    transfer
	reader func(fd uintptr) bool // in.read, bound once
	writer func(fd uintptr) bool // out.write, bound once
}

// transfer is one Read or Write.
type transfer struct {
	p   []byte
	n   int
	err error
}

// Init gives tcp to c, which is new and may not be copied afterwards.
func (c *Conn) Init(tcp *net.TCPConn) error {
	raw, err := tcp.SyscallConn()
	c.TCPConn, c.raw = tcp, raw
	c.reader, c.writer = c.in.read, c.out.write
	return err
}

// Raw returns the connection's descriptor for waiting; see syscall.RawConn.
func (c *Conn) Raw() syscall.RawConn { return c.raw }

// Read reads at least one byte. It returns io.EOF at the end.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.in = transfer{p: p}
	if err := c.raw.Read(c.reader); err != nil {
		return 0, err
	}
	n, err := c.in.n, c.in.err
	c.in.p = nil
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// read is one try of Read. It returns false to wait.
func (t *transfer) read(fd uintptr) bool {
	n, errno := Read(fd, t.p)
	if errno == syscall.EAGAIN {
		return false
	}
	if errno != 0 {
		t.err = os.NewSyscallError("read", errno)
		return true
	}
	t.n = n
	return true
}

// Write writes all of p.
func (c *Conn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.out = transfer{p: p}
	err := c.raw.Write(c.writer)
	n := c.out.n
	if err == nil {
		err = c.out.err
	}
	c.out.p = nil
	return n, err
}

// write writes as much of p as the socket takes. It returns false to wait.
func (t *transfer) write(fd uintptr) bool {
	for t.n < len(t.p) {
		n, errno := Write(fd, t.p[t.n:])
		if errno == syscall.EAGAIN {
			return false
		}
		if errno != 0 {
			t.err = os.NewSyscallError("write", errno)
			return true
		}
		t.n += n
	}
	return true
}
