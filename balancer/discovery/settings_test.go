package discovery

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testdns"
)

// conf writes a resolv.conf as careful programs do, and returns its path.
func conf(t *testing.T, path, text string) string {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "resolv.conf")
	}
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
	return path
}

func TestResolvConfIsHonoured(t *testing.T) {
	path := conf(t, "", `# comment
nameserver 10.0.0.2
nameserver ns.example
nameserver 2001:db8::2
nameserver 10.0.0.3
nameserver 10.0.0.4
search a.example b.example.
options ndots:5 attempts:4 timeout:1
`)
	s := NewResolver(Options{ResolvConf: path}).settings()
	assert.Equal(t, settings{asker{[]string{"10.0.0.2:53", "[2001:db8::2]:53", "10.0.0.3:53"}, 4, time.Second}, []string{"a.example", "b.example."}, 5}, s)

	assert.Equal(t, 500*time.Millisecond, NewResolver(Options{ResolvConf: path, Timeout: 500 * time.Millisecond}).settings().timeout)
	conf(t, path, "nameserver 10.0.0.2\n")
	assert.Equal(t, 2*time.Second, NewResolver(Options{ResolvConf: path}).settings().timeout, "the shorter one counts")
}

func TestWithServersThereIsNoResolvConf(t *testing.T) {
	path := conf(t, "", "nameserver 10.0.0.2\nsearch a.example\n")
	s := NewResolver(Options{Servers: []string{"10.0.0.9:5353"}, ResolvConf: path}).settings()
	assert.Equal(t, []string{"10.0.0.9:5353"}, s.servers)
	assert.Equal(t, []string{"be."}, s.names("be"))
}

func TestAResolvConfThatIsBeingWrittenChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	r := NewResolver(Options{ResolvConf: path})
	assert.Equal(t, []string{"127.0.0.1:53"}, r.settings().servers, "as libc does without one")
	assert.Equal(t, []string{"be."}, r.settings().names("be"))

	conf(t, path, "nameserver 10.0.0.2\n")
	before := r.settings()
	for _, text := range []string{"", "search a.example\n", strings.Repeat("#", longestConf) + "\nnameserver 10.0.0.3\n"} {
		conf(t, path, text)
		assert.Equal(t, before, r.settings())
	}
	require.NoError(t, os.Remove(path))
	assert.Equal(t, before, r.settings())

	conf(t, path, "nameserver 10.0.0.3\n")
	assert.Equal(t, []string{"10.0.0.3:53"}, r.settings().servers)
}

func TestNames(t *testing.T) {
	long := strings.Repeat("abcdefghi.", 25) + "example"
	for _, row := range []struct {
		name    string
		domains string
		ndots   int
		want    string
	}{
		{"be", "a.example b.example.", 1, "be.a.example. be.b.example. be."},
		{"be.ns", "a.example", 1, "be.ns. be.ns.a.example."},
		{"be.ns.svc", "a.example", 3, "be.ns.svc.a.example. be.ns.svc."},
		{"be.ns.svc.cluster", "a.example", 3, "be.ns.svc.cluster. be.ns.svc.cluster.a.example."},
		{"be.", "a.example", 5, "be."},
		{"be", ". a.example a.example", 1, "be. be.a.example."},
		{"be", "a..example", 1, "be."},
		{"be", "", 0, "be."},
		{"be", long, 1, "be."},
	} {
		s := settings{domains: strings.Fields(row.domains), ndots: row.ndots}
		assert.Equal(t, row.want, strings.Join(s.names(row.name), " "), row.name)
	}
}

func TestAResolvConfIsReplacedWhileAWatchRuns(t *testing.T) {
	t.Parallel()
	first := testdns.StartAt(t, "127.0.0.2:0")
	_, port, err := net.SplitHostPort(first.Addr)
	require.NoError(t, err)
	second := testdns.StartAt(t, "127.0.0.3:"+port)
	first.Set("be.a.example", "A", 1, "10.0.0.1")
	second.Set("be.b.example", "A", 1, "10.0.0.2")
	path := conf(t, "", "nameserver 127.0.0.2\nsearch a.example\n")
	r := NewResolver(Options{ResolvConf: path, Timeout: time.Minute})
	r.port = port

	results, stop := watching(t, r.Host("be", 80))
	assert.Equal(t, []Member{{"10.0.0.1:80", "be", 1, 0}}, (<-results).Members)
	conf(t, path, "nameserver 127.0.0.3\nsearch b.example\n")
	changed := until(t, results, func(r Result) bool { return r.Changed })
	assert.Equal(t, []Member{{"10.0.0.2:80", "be", 1, 0}}, changed.Members)
	stop()
}

func TestAServerThatFailsDoesNotHandTheNameToAnotherDomain(t *testing.T) {
	dns := testdns.StartAt(t, "127.0.0.2:0")
	_, port, err := net.SplitHostPort(dns.Addr)
	require.NoError(t, err)
	r := NewResolver(Options{ResolvConf: conf(t, "", "nameserver 127.0.0.2\nsearch a.example b.example\n"), Timeout: time.Minute})
	r.port = port
	w := r.Host("be", 80)
	dns.Set("be.b.example", "A", 1, "10.0.0.2")

	dns.Fail("be.a.example", "SERVFAIL")
	members, err := lookup(t, w)
	assert.ErrorContains(t, err, "be.a.example A: SERVFAIL from "+dns.Addr)
	assert.Empty(t, members)

	dns.Heal("be.a.example")
	members, err = lookup(t, w)
	assert.NoError(t, err)
	assert.Equal(t, []string{"10.0.0.2:80 be 1 0"}, members)

	dns.Fail("be.a.example", "SERVFAIL")
	dns.Set("be.b.example", "A", 1, "10.0.0.3")
	members, err = lookup(t, w)
	assert.NoError(t, err, "the one that had won is followed")
	assert.Equal(t, []string{"10.0.0.3:80 be 1 0"}, members)

	dns.Set("be.a.example", "AAAA", 1, "2001:db8::1")
	dns.Fail("be.a.example", "SERVFAIL", "A")
	members, err = lookup(t, w)
	assert.NoError(t, err)
	assert.Equal(t, []string{"[2001:db8::1]:80 be 1 0"}, members, "what another name had does not stand in")
}
