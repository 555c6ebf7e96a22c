package program

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FreeAddress finds an address on loopback to listen on, which no other test gets while
// this one runs. Its port is below those that the system gives to outgoing connections, so
// that none of these can take it before its user does.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := 20000 + rand.IntN(12000)
		if address := fmt.Sprintf("127.0.0.1:%d", port); isFree(address) && reserve(t, port) {
			return address
		}
	}
	require.Fail(t, "no free port")
	return ""
}

func isFree(address string) bool {
	l, err := net.Listen("tcp", address)
	if err == nil {
		l.Close()
	}
	return err == nil
}

// reserve keeps a port from all other tests, in whichever process they are, by a name in
// the abstract namespace (unix(7)): it is gone with the test, or its process.
func reserve(t testing.TB, port int) bool {
	l, err := net.Listen("unix", fmt.Sprintf("@trackgate-test-port-%d", port))
	if err == nil {
		t.Cleanup(func() { l.Close() })
	}
	return err == nil
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
