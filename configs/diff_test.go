package configs

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const before = `
listeners:
  - {name: public, kind: public, address: ":443", hosts: [a.test], pool: p}
  - {name: plain, kind: redirect, address: ":80"}
pools:
  - {name: p, backends: ["http://10.0.0.1:80"]}
tls: {issuer: acme, acme: {email: a@b.test}, redis: {address: "r:6379", password: one}}
`

func parsed(t *testing.T, text string) *Settings {
	t.Helper()
	s, err := Parse("test.yaml", []byte(text), nil)
	require.NoError(t, err)
	return s
}

func TestDiff(t *testing.T) {
	after := `
listeners:
  - {name: public, kind: public, address: ":443", hosts: [a.test, b.test], pool: q, hsts: 180d}
  - {name: gui, kind: gui, address: ":444", hosts: [g.test], clients: [10.0.0.0/8], pool: q}
pools:
  - {name: q, backends: ["http://10.0.0.1:80", {url: "http://10.0.0.2:80", weight: 3}]}
tls: {issuer: acme, acme: {email: a@b.test}, redis: {address: "r:6379", password: two, encryption_key: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}}
`
	var lines []string
	for _, d := range Diff(parsed(t, before), parsed(t, after)) {
		lines = append(lines, d.String())
		assert.NotContains(t, d.String(), "two")
		assert.NotContains(t, d.String(), "MDEy")
	}
	require.Len(t, lines, 9)
	assert.Equal(t, "~ listeners.public.hosts: [a.test] -> [a.test, b.test]", lines[0])
	assert.Equal(t, "~ listeners.public.pool: p -> q", lines[1])
	assert.Equal(t, "~ listeners.public.hsts: 0s -> 4320h0m0s", lines[2])
	assert.Contains(t, lines[3], "- listeners.plain: {name: plain, kind: redirect, address: :80")
	assert.Contains(t, lines[4], "+ listeners.gui: {name: gui, kind: gui")
	assert.Contains(t, lines[4], "clients: [10.0.0.0/8]")
	assert.Contains(t, lines[5], "- pools.p: {name: p, backends: [{")
	assert.Contains(t, lines[6], "+ pools.q: ")
	assert.Contains(t, lines[6], "weight: 3")
	assert.Equal(t, "~ tls.redis.password: a secret -> a secret", lines[7])
	assert.Equal(t, "~ tls.redis.encryption_key: none -> a secret", lines[8])
	assert.Empty(t, Diff(parsed(t, after), parsed(t, after)))
}

// A secret that is added to the settings must be known here.
func TestEverySecretIsKnown(t *testing.T) {
	for _, key := range []string{"tls.redis.password", "tls.redis.encryption_key", "tls.acme.eab.hmac_key", "tls.acme.fallback.eab.hmac_key",
		"tls.acme.dns.rfc2136.key", "tls.acme.dns.cloudflare.api_token", "tls.acme.dns.route53.secret"} {
		assert.Equal(t, "a secret", show(key, reflect.ValueOf("x")), key)
	}
	assert.Equal(t, "x", show("tls.files.key", reflect.ValueOf("x")), "the name of a file")
}

// A test that only stands elsewhere is the same one.
func TestTestsAreComparedByWhatTheySay(t *testing.T) {
	const one = "tests: [{request: POST https://a.test/track, from: 192.0.2.1, expect: allowed}]\n"
	assert.Empty(t, Diff(parsed(t, before+one), parsed(t, before+"\n\n"+one)))
	other := strings.Replace(one, "allowed", "wrong_host", 1)
	assert.Equal(t, []Difference{{
		"tests", "[POST https://a.test/track from 192.0.2.1: allowed]", "[POST https://a.test/track from 192.0.2.1: wrong_host]",
	}}, Diff(parsed(t, before+one), parsed(t, before+other)))
}
