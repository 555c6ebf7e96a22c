package proxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/testbed"
)

// pending is what an authority waits for.
func pending(host, path string) []byte {
	if host == "new.test" && path == "/.well-known/acme-challenge/token" {
		return []byte("token.thumbprint")
	}
	return nil
}

func TestAnAuthorityIsAnsweredWhatIsPending(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.Edge(t, testbed.Challenged(pending), testbed.YAML(`
listeners:
  - {name: public, kind: public, address: "127.0.0.1:8443", hosts: [track.test], pool: p}
  - {name: plain, kind: redirect, address: "127.0.0.1:80"}
  - {name: inner, kind: gui, address: "127.0.0.1:8080", tls: off, hosts: [new.test], clients: [192.0.2.1], pool: p}
pools:
  - {name: p, backends: ["http://%s"], health: {interval: 0}}
`, backend.Addr))
	client := edge.Dial(t, testbed.Way{Listener: 1, Plain: true})

	client.Ask(t, "GET /.well-known/acme-challenge/token", "Host: NEW.test:80").HasStatus(200).HasBody("token.thumbprint").
		HasField("content-type", "application/octet-stream").HasField("cache-control", "no-store").Stays()
	edge.NextLogLine(t).Has("listener", "plain").Has("status", 200).Has("reason", "ok").Has("client", "127.0.0.1").Has("bytes_out", 16)

	for _, row := range []struct{ line, host, reason string }{
		{"GET /.well-known/acme-challenge/other", "new.test", "wrong_host"},
		{"GET /.well-known/acme-challenge/token/", "new.test", "wrong_host"},
		{"GET /.well-known/acme-challenge/%74oken", "new.test", "wrong_host"},
		{"GET /.well-known/acme-challenge/token?x", "new.test", "wrong_host"},
		{"GET /x/../.well-known/acme-challenge/token", "new.test", "wrong_host"},
		{"GET /.well-known/acme-challenge/token", "evil.test", "wrong_host"},
	} {
		client.Ask(t, row.line, "Host: "+row.host).IsEdge(421, row.reason)
	}
	client.Ask(t, "POST /.well-known/acme-challenge/token", "Host: new.test", "Content-Length: 0").IsEdge(405, "method_not_exposed")
	client.Ask(t, "GET /.well-known/acme-challenge/other", "Host: track.test").HasStatus(301)

	edge.Dial(t, testbed.Way{Listener: 2, Plain: true}).
		Ask(t, "GET /.well-known/acme-challenge/token", "Host: new.test").IsEdge(403, "client_not_allowed")
	edge.Dial(t, testbed.Way{}).Ask(t, "GET /.well-known/acme-challenge/token").IsEdge(404, "not_exposed")
	assert.Zero(t, backend.Heads())
}
