package health

import (
	"errors"
	"net"
	"strings"
	"syscall"
)

const maxWhyBytes = 200

// words is the core of an error for people who know which backend was asked
// for what. The backend may have chosen some of the text.
func words(err error) string {
	if network := (*net.OpError)(nil); errors.As(err, &network) {
		err = network.Err
	}
	text := err.Error()
	if len(text) > maxWhyBytes {
		text = text[:maxWhyBytes] + "..."
	}
	return strings.ToValidUTF8(text, "?")
}

// ours says whether an error is the gate's own want of file descriptors or ports.
// Nothing was sent then, which says nothing of the backend.
func ours(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.EADDRNOTAVAIL)
}
