package backend

import "golang.org/x/sys/unix"

// closeWait is the state of a connection that only the other side has closed
// (RFC 9293 section 3.3.2), as Linux numbers it.
const closeWait = 8

// info returns what the kernel knows of the connection.
func (c *Conn) info() (info *unix.TCPInfo, err error) {
	ended := c.raw.Control(func(fd uintptr) {
		info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	})
	if ended != nil {
		return nil, ended
	}
	return info, err
}
