package proxy

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
)

const shared = `
listeners:
  - {name: one, kind: public, address: ":443", hosts: [one.test], limits: {body: 2KiB, body_rate: 7}, pool: p}
  - {name: other, kind: public, address: ":8443", hosts: [other.test], pool: p}
  - {name: two, kind: public, address: ":443", hosts: [two.test], pool: p}
  - {name: plain, kind: redirect, address: ":80"}
pools:
  - {name: p, backends: ["http://127.0.0.1:1", "http://[::1]:2"]}
tls: {issuer: internal, storage: /nowhere}
limits: {head: 4KiB, target: 200, fields: 20}
timeouts: {head: 1s, body: 2s, write: 3s}
`

func compiled(t *testing.T) *snapshot {
	t.Helper()
	settings, err := configs.Parse("test.yaml", []byte(shared), nil)
	require.NoError(t, err)
	snap, err := compile(settings, Parts{Metrics: metrics.New(metrics.Build{})}, nil)
	require.NoError(t, err)
	return snap
}

func TestListenersOfOneAddressAreCompiledTogether(t *testing.T) {
	t.Parallel()
	var got [][]string
	for _, a := range compiled(t).addresses {
		names := []string{a.name}
		for _, l := range a.listeners {
			names = append(names, l.name)
		}
		got = append(got, names)
	}
	assert.Equal(t, [][]string{{":443", "one", "two"}, {":8443", "other"}, {":80", "plain"}}, got)
}

func TestLimitsReachTheEngine(t *testing.T) {
	t.Parallel()
	snap := compiled(t)
	_, one := snap.named("one")
	_, two := snap.named("two")
	assert.EqualValues(t, 2048, one.config.Limits.Body)
	assert.EqualValues(t, 1<<20, two.config.Limits.Body)
	assert.EqualValues(t, 7, one.config.Rate)
	assert.EqualValues(t, 500, two.config.Rate)
	for _, l := range []*listener{one, two} {
		assert.Equal(t, 4096, l.config.Limits.Head)
		assert.Equal(t, 200, l.config.Limits.Target)
		assert.Equal(t, 20, l.config.Limits.Fields)
		assert.Equal(t, []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, bodyGrace},
			[]time.Duration{l.config.Head, l.config.Body, l.config.Write, l.config.Grace})
	}
}

func TestBackendsKeepTheirOrderAndAddress(t *testing.T) {
	t.Parallel()
	states := compiled(t).pools["p"].States()
	for i, addr := range []string{"127.0.0.1:1", "[::1]:2"} {
		assert.Equal(t, addr, states[i].Backend)
	}
}

func TestRedirectsNameThePortThatIsServed(t *testing.T) {
	t.Parallel()
	s := compiled(t).secure
	for host, port := range map[string]string{"one.test": "", "other.test": ":8443"} {
		i, ok := s.hosts.Find(host, netip.Addr{})
		require.True(t, ok, host)
		assert.Equal(t, port, s.ports[i], host)
	}
}

func TestAPanicGivesBackItsPlaceAmongTheRepetitions(t *testing.T) {
	t.Parallel()
	p := compiled(t).pools["p"]
	for range 10 {
		x := &exchange{listener: &listener{pool: p}}
		require.True(t, x.budgeted())
		x.abandon()
	}
}
