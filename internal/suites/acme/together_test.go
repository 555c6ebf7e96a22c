//go:build suites

package acme

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The authority comes to the first gate only, whichever of them has ordered.
func TestGatesThatShareAFolderOrderOnce(t *testing.T) {
	t.Parallel()
	hosts := []string{"a.example.com", "b.example.com", "c.example.com", "d.example.com", "e.example.com", "f.example.com"}
	one, two := newGate(t, hosts...), newGate(t, hosts...)
	two.storage = one.storage
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: one.plain, secure: one.secure}).start(t)
	one.start(t, of(a)...)
	two.start(t, of(a)...)
	roots := a.roots(t)
	for _, host := range hosts {
		first := one.awaits(t, host, roots)
		assert.Equal(t, first.SerialNumber, two.awaits(t, host, roots).SerialNumber, host)
	}
	assert.Equal(t, len(hosts), strings.Count(a.process.Output(t), "Issued certificate serial"))
}
