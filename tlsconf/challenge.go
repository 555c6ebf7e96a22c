package tlsconf

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/certmagic"
	"golang.org/x/time/rate"
)

// ChallengeProtocol is what an authority offers by ALPN when it comes to see that a host
// is under our control (RFC 8737). Nothing else is said on such a connection.
const ChallengeProtocol = "acme-tls/1"

// challengeTime is how long such a handshake may take. Anybody may begin one.
const challengeTime = 2 * time.Second

// How often the storage is asked for a challenge that another gate began, in a second:
// anybody may make it be asked.
const challengeRate = 20

// Challenge returns what an authority wants to read at a path of host (http-01, RFC 8555
// section 8.3), nil when nothing is pending there. It may be called at any time.
func (k *Keeper) Challenge(host, path string) []byte {
	if k.managed == nil || !k.managed.expects(strings.ToLower(host)) {
		return nil
	}
	return k.managed.answer(host, path)
}

// expects reports whether an authority may come for a host by this name: its certificate is
// ordered from one, and the storage may be asked again.
func (m *managed) expects(name string) bool {
	host := name
	if addr, ok := reversed(name); ok {
		host = addr.String()
	}
	return m.orders(host) && (pending(name) || m.asking.Allow())
}

// pending reports whether a challenge of this process waits for host.
func pending(host string) bool {
	_, ok := certmagic.GetACMEChallenge(host)
	return ok
}

// answer lets certmagic answer, which knows the challenges of all gates with this storage.
func (m *managed) answer(host, path string) []byte {
	config := m.ordering.Load()
	if config == nil {
		return nil
	}
	issuer, ok := config.Issuers[0].(*certmagic.ACMEIssuer)
	if !ok {
		return nil
	}
	var answer page
	request := &http.Request{Method: http.MethodGet, Host: host, URL: &url.URL{Path: path}, RequestURI: path, Header: http.Header{}}
	if !issuer.HandleHTTPChallenge(&answer, request) {
		return nil
	}
	return answer.Bytes()
}

// page is a http.ResponseWriter for somebody who only wants the body.
type page struct{ bytes.Buffer }

func (*page) Header() http.Header { return http.Header{} }
func (*page) WriteHeader(int)     {}

// challenges reports whether a client is an authority that comes to look (RFC 8737 section
// 3): it offers this one protocol.
func challenges(hello *tls.ClientHelloInfo) bool {
	return len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == ChallengeProtocol
}

// greetAuthority is the configuration for a client that comes to look. Its time is short.
func (k *Keeper) greetAuthority(hello *tls.ClientHelloInfo) *tls.Config {
	hello.Conn.SetDeadline(time.Now().Add(challengeTime)) //nolint:errcheck // the handshake fails if this does
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{ChallengeProtocol}, SessionTicketsDisabled: true,
		GetCertificate: k.challengeCertificate,
	}
}

func (k *Keeper) challengeCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	m := k.managed
	if m == nil || !m.expects(strings.ToLower(hello.ServerName)) {
		return nil, nil
	}
	config := m.ordering.Load()
	if config == nil {
		return nil, nil
	}
	cert, err := config.GetCertificate(hello)
	if err != nil {
		return nil, nil // no challenge waits here: as for a name that nobody configured
	}
	return cert, nil
}

func newAsking() *rate.Limiter { return rate.NewLimiter(challengeRate, challengeRate) }
