package program

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FreeAddress finds an address on loopback to listen on. Its port is below those
// that the system gives to outgoing connections, so that none of these can take
// it before its user does.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	require.Fail(t, "no free port")
	return ""
}

// AwaitListener waits until somebody listens on address.
func AwaitListener(t testing.TB, address string) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	}, 20*time.Second, 20*time.Millisecond, "nobody listens on %s", address)
}
