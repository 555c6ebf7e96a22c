package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Holder says who holds the port of an address that is in use, as far as the
// system tells: " (held by nginx, process 812)" or "".
func Holder(address string, err error) string {
	_, service, splitErr := net.SplitHostPort(address)
	if splitErr != nil || !errors.Is(err, syscall.EADDRINUSE) {
		return ""
	}
	port, lookupErr := net.LookupPort("tcp", service)
	if lookupErr != nil {
		return ""
	}
	for _, inode := range listeningInodes(port) {
		if process, ok := processOf(inode); ok {
			return fmt.Sprintf(" (held by %s)", process)
		}
	}
	return ""
}

// listeningInodes returns the inodes of the sockets that listen on a port,
// from /proc/net/tcp and tcp6: fields 1 (address:port), 3 (state, 0A is
// listening) and 9 (inode).
func listeningInodes(port int) (inodes []string) {
	suffix := fmt.Sprintf(":%04X", port)
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for _, line := range strings.Split(string(table), "\n") {
			f := strings.Fields(line)
			if len(f) > 9 && strings.HasSuffix(f[1], suffix) && f[3] == "0A" {
				inodes = append(inodes, f[9])
			}
		}
	}
	return inodes
}

// processOf returns name and number of the process that has a socket open.
func processOf(inode string) (string, bool) {
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return "", false
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err != nil || to != "socket:["+inode+"]" {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if _, bad := strconv.Atoi(pid); err == nil && bad == nil {
			return strings.TrimSpace(string(name)) + ", process " + pid, true
		}
	}
	return "", false
}
