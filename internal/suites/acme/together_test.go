//go:build suites

package acme

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// sixHosts are enough that two gates divide the orders.
func sixHosts() []string {
	return []string{"a.example.com", "b.example.com", "c.example.com", "d.example.com", "e.example.com", "f.example.com"}
}

// The authority comes to the first gate only, whichever of them has ordered.
func TestGatesThatShareAFolderOrderOnce(t *testing.T) {
	t.Parallel()
	one, two := newGate(t, sixHosts()...), newGate(t, sixHosts()...)
	two.storage = one.storage
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: one.plain, secure: one.secure}).start(t)
	orderOnce(t, a, one, two)
}

// orderOnce starts two gates and demands that they show the same certificates, and that the
// authority has signed no more than these.
func orderOnce(t *testing.T, a *authority, one, two *gate) {
	t.Helper()
	one.start(t, of(a)...)
	two.start(t, of(a)...)
	roots := a.roots(t)
	for _, host := range one.hosts {
		first := one.awaits(t, host, roots)
		assert.Equal(t, first.SerialNumber, two.awaits(t, host, roots).SerialNumber, host)
	}
	assert.Equal(t, len(one.hosts), a.issued(t))
}
