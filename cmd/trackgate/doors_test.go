package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/supervisor"
	"github.com/trackgate/trackgate/tlsconf"
)

// assembled is a server that does not listen, of these listeners and this section tls.
func assembled(t *testing.T, listeners, tls string) *server {
	t.Helper()
	loaded, err := configs.Load(settings(t, "listeners:"+listeners+`
pools:
  - {name: p, backends: ["http://127.0.0.1:9"]}
tls: {`+tls+`, storage: `+t.TempDir()+`}
admin: {address: ""}
`), nil)
	require.NoError(t, err)
	s, err := assemble(loaded, source{})
	require.NoError(t, err)
	t.Cleanup(s.close)
	return s
}

// A door is asked for a host of its listener, at an address where that is the one that
// answers.
func TestDoorsOfListeners(t *testing.T) {
	ca, err := filepath.Abs("testdata/clients.pem")
	require.NoError(t, err)
	s := assembled(t, `
  - {name: named, kind: public, address: ":443", hosts: ["192.0.2.1", "*.example.com", "example.com"], pool: p}
  - {name: bare, kind: public, address: ":443", hosts: ["192.0.2.2", "192.0.2.3"], pool: p}
  - {name: six, kind: public, address: ":443", hosts: ["[2001:db8::1]"], pool: p}
  - {name: mapped, kind: public, address: "10.0.0.1:444", hosts: ["192.0.2.1"], pool: p}
  - {name: staff, kind: public, address: "10.0.0.2:444", hosts: ["example.com"], client_certificates: {ca: "`+ca+`"}, pool: p}
  - {name: plain, kind: redirect, address: ":80"}`, "issuer: internal")
	doors := s.doors()
	for i := range doors[:5] {
		assert.NotNil(t, doors[i].Roots)
		doors[i].Roots = nil
	}
	assert.Equal(t, []supervisor.Door{
		{Listener: "named", Address: ":443", TLS: true, Host: "watchdog.example.com"},
		{Listener: "bare", Address: "192.0.2.2:443", TLS: true, Host: "192.0.2.2"},
		{Listener: "six", Address: "[2001:db8::1]:443", TLS: true, Host: "2001:db8::1"},
		{Listener: "mapped", Address: "10.0.0.1:444", TLS: true, Host: "192.0.2.1", Refuses: true},
		{Listener: "staff", Address: "10.0.0.2:444", TLS: true, Host: "example.com", Refuses: true},
		{Listener: "plain", Address: ":80"},
	}, doors)
}

func TestAMissingCertificateIsKnownToBeMissing(t *testing.T) {
	s := assembled(t, `
  - {name: public, kind: public, address: ":443", hosts: ["track.example.com"], pool: p}`, "issuer: acme, acme: {email: ops@example.com}")
	assert.True(t, s.doors()[0].Refuses)
	assert.Nil(t, s.doors()[0].Roots)
}

// That a certificate has ended is for alerts; to be started anew again and again would
// take what is left.
func TestACertificateThatHasEndedIsKnownToHave(t *testing.T) {
	s := assembled(t, `
  - {name: public, kind: public, address: ":443", hosts: ["track.example.com"], pool: p}`, "issuer: internal")
	now := time.Now()
	for name, row := range map[string]struct {
		state tlsconf.State
		ended bool
	}{
		"good":    {tlsconf.State{Source: "a file", NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}, false},
		"ended":   {tlsconf.State{Source: "a file", NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}, true},
		"not yet": {tlsconf.State{Source: "a file", NotBefore: now.Add(time.Hour), NotAfter: now.Add(2 * time.Hour)}, true},
	} {
		var d supervisor.Door
		s.expect(&d, row.state, now)
		assert.Equal(t, supervisor.Door{Ended: row.ended}, d, name)
	}
}
