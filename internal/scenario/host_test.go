//go:build scenario

package scenario

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// host is a network namespace with an address of its own, joined to ours by a
// pair of virtual interfaces. Its network can be made to lose what comes and goes
// without a word, as when a machine vanishes.
type host struct {
	name    string // of the namespace, and a part of those of the interfaces
	address string
}

// newHost makes a host. The numbers of a run's hosts are 0 to 3; the addresses, out
// of the range that is for tests of networks (RFC 2544), differ between processes.
func newHost(t *testing.T, number int) *host {
	t.Helper()
	for _, tool := range []string{"ip", "nft"} {
		_, err := exec.LookPath(tool)
		require.NoError(t, err, "this scenario needs %s: make install-tools", tool)
	}
	require.Zero(t, os.Geteuid(), "this scenario makes a network namespace: it needs root")
	block := (os.Getpid()%4096)*4 + number // of four addresses each
	at := func(n int) string { return fmt.Sprintf("198.18.%d.%d", block/64, block%64*4+n) }
	h := &host{name: fmt.Sprintf("tg%d-%d", os.Getpid()%4096, number), address: at(2)}
	h.make(t, at(1))
	return h
}

func (h *host) make(t *testing.T, ours string) {
	t.Helper()
	near, far := h.name+"a", h.name+"b"
	run(t, "ip", "netns", "add", h.name)
	t.Cleanup(func() { exec.Command("ip", "netns", "del", h.name).Run() })
	run(t, "ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", h.name)
	t.Cleanup(func() { exec.Command("ip", "link", "del", near).Run() }) // at once: namespaces end when the kernel likes
	run(t, "ip", "address", "add", ours+"/30", "dev", near)
	run(t, "ip", "link", "set", near, "up")
	run(t, h.inside("ip", "address", "add", h.address+"/30", "dev", far)...)
	run(t, h.inside("ip", "link", "set", far, "up")...)
	run(t, h.inside("ip", "link", "set", "lo", "up")...)
}

// inside is a command that is run in the namespace.
func (h *host) inside(command ...string) []string {
	return append([]string{"ip", "netns", "exec", h.name}, command...)
}

// drops makes the host lose every segment that fits a rule of nft, in both
// directions.
func (h *host) drops(t *testing.T, rule string) {
	t.Helper()
	run(t, h.inside("nft", fmt.Sprintf(`add table ip fault; add chain ip fault in { type filter hook input priority 0; };
add chain ip fault out { type filter hook output priority 0; }; add rule ip fault in %s drop; add rule ip fault out %s drop`, rule, rule))...)
}

// The rules.
const (
	anything   = "meta l4proto tcp"
	beginnings = "tcp flags & (syn | ack) == syn" // of connections
)

// heals loses nothing any more.
func (h *host) heals(t *testing.T) {
	t.Helper()
	run(t, h.inside("nft", "delete table ip fault")...)
}

func run(t *testing.T, command ...string) {
	t.Helper()
	output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	require.NoError(t, err, "%s: %s", strings.Join(command, " "), output)
}

// takes makes a backend one that lives on the host.
func (h *host) takes(t *testing.T, b *backend) {
	t.Helper()
	_, port, err := net.SplitHostPort(b.Address)
	require.NoError(t, err)
	b.Address = net.JoinHostPort(h.address, port)
	b.seen = b.Address
	b.on = h
}

// established counts the connections of this machine's programs to an address, as
// the kernel has them.
func established(t *testing.T, address string) int {
	t.Helper()
	table, err := os.Open("/proc/net/tcp")
	require.NoError(t, err)
	defer table.Close()
	want, count := kernelAddress(t, address), 0
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) > 3 && fields[2] == want && fields[3] == "01" { // TCP_ESTABLISHED
			count++
		}
	}
	require.NoError(t, lines.Err())
	return count
}

// kernelAddress writes an IPv4 address and a port as /proc/net/tcp does: the bytes
// in the order of this machine, which is taken to be little-endian.
func kernelAddress(t *testing.T, address string) string {
	t.Helper()
	at, err := net.ResolveTCPAddr("tcp4", address)
	require.NoError(t, err)
	ip := slices.Clone(at.IP.To4())
	slices.Reverse(ip)
	return strings.ToUpper(fmt.Sprintf("%s:%04x", hex.EncodeToString(ip), at.Port))
}
