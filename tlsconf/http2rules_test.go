package tlsconf

import (
	"bytes"
	"crypto/tls"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// fitForHTTP2 is what RFC 9113 leaves of the suites of TLS 1.2 by its appendix A:
// keys that are made for one connection, and an AEAD.
func fitForHTTP2(suite string) bool {
	return regexp.MustCompile(`^TLS_(EC)?DHE_(ECDSA|RSA)_WITH_(AES_\d+_GCM_SHA\d+|AES_\d+_CCM(_8)?|CHACHA20_POLY1305_SHA256)$`).MatchString(suite)
}

func TestNoSuiteOfTLS12IsForbiddenWithHTTP2(t *testing.T) {
	for _, suite := range suites12() {
		require.True(t, fitForHTTP2(tls.CipherSuiteName(suite)), tls.CipherSuiteName(suite))
	}
	require.Contains(t, suites12(), tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "demanded by RFC 9113, 9.2.2")
	for _, forbidden := range []string{"TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_ECDHE_RSA_WITH_RC4_128_SHA"} {
		require.False(t, fitForHTTP2(forbidden), forbidden)
	}
}

// A client that would rather have something forbidden gets HTTP/2 with what is not.
func TestHTTP2IsNeverSpokenOverAForbiddenSuite(t *testing.T) {
	g := newHTTP2Gate(t)
	client := g.offering("track.example.com", "h2")
	client.MaxVersion, client.CipherSuites = tls.VersionTLS12, nil
	for _, suite := range append(tls.InsecureCipherSuites(), tls.CipherSuites()...) {
		client.CipherSuites = append(client.CipherSuites, suite.ID)
	}
	state := g.ok(t, client)
	require.Equal(t, "h2", state.NegotiatedProtocol)
	require.True(t, fitForHTTP2(tls.CipherSuiteName(state.CipherSuite)))
}

// RFC 9113, 9.2.1 and RFC 8446, 4.1.2.
func TestCompressionIsNeverAgreedOn(t *testing.T) {
	const deflate = 1
	g := newHTTP2Gate(t)
	for _, test := range []struct {
		name    string
		version uint16
		methods []byte
		spoken  bool
	}{
		{"beside none in TLS 1.2", tls.VersionTLS12, []byte{deflate, 0}, true},
		{"alone in TLS 1.2", tls.VersionTLS12, []byte{deflate}, false},
		{"beside none in TLS 1.3", tls.VersionTLS13, []byte{deflate, 0}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			client := g.offering("track.example.com", "h2")
			client.MaxVersion = test.version

			answer, end := g.send(t, inRecords(withCompression(helloMessage(client), test.methods)))

			require.Equal(t, 0, end.listener)
			if !test.spoken {
				require.Equal(t, "failed", HandshakeResult(end.err), "%v", end.err)
				require.LessOrEqual(t, len(answer), 7, "more than an alert")
				return
			}
			require.Equal(t, byte(22), answer[0], "a ServerHello")
			hello := answer[5+4:] // RFC 5246, 7.4.1.3: version, random, session, suite, compression
			require.Zero(t, hello[2+32+1+int(hello[2+32])+2])
		})
	}
}

// withCompression puts other compression methods into a ClientHello.
func withCompression(hello, methods []byte) []byte {
	body := hello[4:]
	end := extensionsOf(body)
	old := end - int(1+1) // one method and the number of them
	changed := append(bytes.Clone(body[:old]), byte(len(methods)))
	return message(append(append(changed, methods...), body[end:]...))
}
