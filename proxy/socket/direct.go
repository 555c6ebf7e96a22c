//go:build !race

package socket

import (
	"syscall"
	"unsafe"
)

// Read reads from a non-blocking descriptor into p, which is not empty. It
// returns 0 at the end of the stream, and EAGAIN when there is nothing to read.
func Read(fd uintptr, p []byte) (int, syscall.Errno) {
	return direct(syscall.SYS_READ, fd, p)
}

// Write writes from p, which is not empty, to a non-blocking descriptor. It
// returns EAGAIN when there is no room.
func Write(fd uintptr, p []byte) (int, syscall.Errno) {
	return direct(syscall.SYS_WRITE, fd, p)
}

func direct(call, fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		if errno == 0 {
			return int(n), 0
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
