package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

func TestLookup(t *testing.T) {
	for name, want := range map[string]wire.Name{
		"": wire.Other, "a": wire.Other, "x": wire.Other, "x-timestamp": wire.Other, "accept-encoding": wire.Other,
		"host": wire.Host, "Host": wire.Other, "hos": wire.Other, "hostt": wire.Other, "zost": wire.Other,
		"content-length": wire.ContentLength, "content-lengtg": wire.Other, "content_length": wire.Other,
		"transfer-encoding": wire.TransferEncoding, "connection": wire.Connection, "keep-alive": wire.KeepAlive,
		"proxy-connection": wire.ProxyConnection, "te": wire.TE, "trailer": wire.Trailer, "upgrade": wire.Upgrade,
		"http2-settings": wire.HTTP2Settings, "proxy-authenticate": wire.ProxyAuthenticate,
		"proxy-authorization": wire.ProxyAuthorization, "expect": wire.Expect, "authorization": wire.Authorization,
		"cookie": wire.Cookie, "set-cookie": wire.SetCookie, "origin": wire.Origin, "vary": wire.Vary,
		"user-agent": wire.UserAgent, "server": wire.Server, "date": wire.Date, "content-type": wire.ContentType,
		"x-process-time": wire.ProcessTime, "x-forwarded-for": wire.XForwardedFor, "x-real-ip": wire.XRealIP,
		"x-context": wire.Private, "scheme": wire.Private, "strict-transport-security": wire.StrictTransportSecurity,
		"x-request-id": wire.RequestID, "traceparent": wire.TraceParent, "tracestate": wire.TraceState,
		"access-control-request-method":  wire.AccessControlRequest,
		"access-control-request-headers": wire.AccessControlRequest,
		"access-control-allow-origin":    wire.AccessControl, "access-control-": wire.AccessControl,
		"access-contro": wire.Other, "age": wire.Range, "range": wire.Range, "if-match": wire.Range,
		"forwarded": wire.Spoofable, "proxy": wire.Spoofable, "x-client-ip": wire.Spoofable, "x-forwarded": wire.Spoofable,
		"x-forwarded-host": wire.Spoofable, "x-forwarded-": wire.Spoofable, "x-ssl-client-verify": wire.Spoofable,
		"x-envoy-external-address": wire.Spoofable, "x-rewrite-url": wire.Spoofable,
		"client-cert": wire.Spoofable, "client-cert-chain": wire.Spoofable, "client-certs": wire.Other, "x-client-cert": wire.Spoofable,
		"x-client-cert-san": wire.Spoofable, "x-amzn-mtls-clientcert": wire.Spoofable, "x-arr-clientcert": wire.Spoofable,
		"ssl-client-verify": wire.Spoofable, "ssl-client-cert": wire.Spoofable, "ssl-clien": wire.Other, "ssl": wire.Other,
	} {
		assert.Equal(t, want, wire.Lookup([]byte(name)), "%q", name)
	}
	assert.Equal(t, wire.Other, wire.Lookup([]byte(strings.Repeat("x", 70000))))
}

func TestHopByHop(t *testing.T) {
	n := 0
	for name := wire.Other; name <= wire.Range; name++ {
		if name.HopByHop() {
			n++
			assert.False(t, name.InTrailer())
		}
	}
	assert.Equal(t, 10, n)
	for _, name := range []wire.Name{wire.Other, wire.Host, wire.ContentLength, wire.Expect, wire.Range} {
		assert.False(t, name.HopByHop())
	}
}

func TestTrailersCarryNothingThatMeansSomething(t *testing.T) {
	assert.True(t, wire.Lookup([]byte("x-checksum")).InTrailer())
	for _, name := range []string{
		"content-length", "transfer-encoding", "host", "te", "trailer", "connection", // framing and routing
		"authorization", "cookie", "set-cookie", "www-authenticate", "proxy-authorization", // who it is
		"expect", "max-forwards", "cache-control", "pragma", "range", "if-match", "if-none-match", // how to answer
		"if-modified-since", "if-unmodified-since", "if-range", "age", "expires", "date", "location", "retry-after", "vary",
		"warning", "content-type", "content-encoding", "content-range", "content-location", // what it is
		"x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-proto", "access-control-allow-origin", // what the gate says
	} {
		assert.False(t, wire.Lookup([]byte(name)).InTrailer(), name)
	}
}
