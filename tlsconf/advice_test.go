package tlsconf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/testdns"
	"github.com/trackgate/trackgate/tlsconf/caa"
)

func TestAdvice(t *testing.T) {
	here, elsewhere := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
	both := doors{":80", ":443"}
	for name, row := range map[string]struct {
		host   string
		addrs  []netip.Addr
		closed string // port
		doors  doors
		want   []string
	}{
		"all is well":   {"a.example.com", []netip.Addr{elsewhere, netip.MustParseAddr("::ffff:192.0.2.1")}, "", both, nil},
		"no address":    {"a.example.com", nil, "", both, []string{"a.example.com has no address in DNS, as seen from here: an authority cannot find it"}},
		"an IP address": {"192.0.2.1", nil, "", both, nil},
		"elsewhere": {"a.example.com", []netip.Addr{elsewhere}, "", both, []string{
			"a.example.com leads to 198.51.100.7, which is no address of this machine: right only if something there passes ports on to this gate"}},
		"port 80 is closed": {"a.example.com", []netip.Addr{here}, "80", both, []string{
			"port 80 of a.example.com cannot be reached from here (refused): it has to lead to :80"}},
		"and nobody needs it": {"a.example.com", []netip.Addr{here}, "80", doors{"", ":443"}, nil},
	} {
		a := adviser{
			here:   func() []netip.Addr { return []netip.Addr{here} },
			lookup: func(context.Context, string) ([]netip.Addr, error) { return row.addrs, nil },
			dial: func(_ context.Context, address string) error {
				if row.closed != "" && netip.MustParseAddrPort(address).Port() == 80 {
					return errors.New("refused")
				}
				return nil
			},
		}
		assert.Equal(t, row.want, a.advise(t.Context(), row.host, row.doors), name)
	}
}

func TestTheMachineKnowsItsAddresses(t *testing.T) {
	assert.Contains(t, newAdviser(nil).here(), netip.MustParseAddr("127.0.0.1"))
	assert.Empty(t, newAdviser(nil).advise(t.Context(), "127.0.0.1", doors{}))
}

// directory is an authority of which nothing works but that it tells its names.
func directory(t *testing.T, identities string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"newNonce": "x", "newOrder": "x", "meta": {"caaIdentities": [%s]}}`, identities)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestWhatRecordsForbidIsSaidBefore(t *testing.T) {
	names := testdns.Start(t)
	names.Set("a.example.com", "A", 60, "127.0.0.1")
	names.Set("example.com", "CAA", 60, `0 issue "other.ca"`)
	a := newAdviser([]string{names.Addr})
	addrs, err := a.lookup(t.Context(), "a.example.com")
	require.NoError(t, err)
	assert.Equal(t, []netip.Addr{netip.MustParseAddr("127.0.0.1")}, addrs)

	all := []authorityACME{
		{name: "first", directory: directory(t, `"our.ca", "too.ca"`)}, {name: "second", directory: directory(t, `"other.ca"`)},
		{name: "third", directory: directory(t, ``)}, {name: "fourth", directory: "http://127.0.0.1:1"},
	}
	assert.Equal(t, []string{"the CAA records of example.com let only other.ca sign, and first goes by our.ca, too.ca"},
		a.permissions(t.Context(), "a.example.com", all))
	assert.Empty(t, a.permissions(t.Context(), "a.example.org", all))
	assert.Empty(t, a.permissions(t.Context(), "192.0.2.1", all))
	names.Fail("example.com", "SERVFAIL")
	assert.Empty(t, a.permissions(t.Context(), "a.example.com", all), "it may be well")
}

// noAdvice sees nothing and asks nobody.
func noAdvice() adviser {
	return adviser{
		lookup: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") },
		policy: func(context.Context, string) (caa.Policy, error) { return caa.Policy{}, nil },
	}
}

// What an authority says is not all: what can be seen from here is looked at before.
func TestAdviceComesBeforeTheOrderAndStays(t *testing.T) {
	m, l := unstarted(t, ordered(t.TempDir()))
	at := time.Now()
	m.book.now = func() time.Time { return at }
	require.NoError(t, m.event(t.Context(), "cert_obtaining", map[string]any{"identifier": "a.example.com"}))
	want := []string{"a.example.com has no address in DNS, as seen from here: an authority cannot find it"}
	assert.Equal(t, Order{Advice: want}, m.lastOrder("a.example.com"))
	assert.Contains(t, l.String(), "certificate is ordered, but that may fail")

	m.orderFailed(t.Context(), "a.example.com", errors.New("connection refused"))
	assert.Equal(t, Order{Failures: 1, Error: "connection refused", Advice: want, Ended: at, Next: at.Add(55 * time.Second)}, m.lastOrder("a.example.com"))

	m.settings.DNS.Provider = configs.Cloudflare
	assert.Empty(t, m.advice(t.Context(), "a.example.com"), "nobody has to come in")
}
