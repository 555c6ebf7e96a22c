//go:build race

package socket

import "syscall"

// Read is Read of direct.go by a call that the race detector knows.
func Read(fd uintptr, p []byte) (int, syscall.Errno) { return known(syscall.Read, fd, p) }

// Write is Write of direct.go by a call that the race detector knows.
func Write(fd uintptr, p []byte) (int, syscall.Errno) { return known(syscall.Write, fd, p) }

func known(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, syscall.Errno) {
	for {
		n, err := call(int(fd), p)
		if err == nil {
			return n, 0
		}
		errno, ok := err.(syscall.Errno)
		if !ok {
			errno = syscall.EIO
		}
		if errno != syscall.EINTR {
			return 0, errno
		}
	}
}
