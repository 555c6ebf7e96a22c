package backend

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// start starts a backend that does with each connection what a test says.
type start func(t testing.TB, opts Options, do func(far)) *Conns

// everyWay runs a test over plain HTTP and over both versions of TLS.
func everyWay(t *testing.T, test func(t *testing.T, start start)) {
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		test(t, backendThat)
	})
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, func(t testing.TB, opts Options, do func(far)) *Conns {
				ca := newAuthority(t)
				served := ca.server(t)
				served.MaxVersion = version
				return sealedBackendThat(t, ca.trusting(opts), served, do)
			})
		})
	}
}

// cork is a socket below TLS that holds back what is written, on demand.
type cork struct {
	*net.TCPConn
	on   bool
	held []byte
}

func (c *cork) Write(p []byte) (int, error) {
	if !c.on {
		return c.TCPConn.Write(p)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

// release sends the first n bytes of what was held back, at once.
func (c *cork) release(n int) { c.TCPConn.Write(c.held[:n]) }

// sealedFar is the backend's end of a connection over TLS.
type sealedFar struct {
	*tls.Conn
	tcp  *cork
	hard *bool
}

// SetLinger is for reset: who resets does not say goodbye.
func (f sealedFar) SetLinger(seconds int) error {
	*f.hard = true
	return f.tcp.SetLinger(seconds)
}

func (f sealedFar) Close() error {
	if *f.hard {
		return f.tcp.Close()
	}
	return f.Conn.Close()
}

func (f sealedFar) CloseWrite() error {
	f.Conn.CloseWrite()
	return f.tcp.CloseWrite()
}

// sealedBackendThat is backendThat over TLS.
func sealedBackendThat(t testing.TB, opts Options, served *tls.Config, do func(far)) *Conns {
	t.Helper()
	return New(listening(t, func(tcp *net.TCPConn) {
		below := &cork{TCPConn: tcp}
		f := sealedFar{tls.Server(below, served), below, new(bool)}
		defer f.Close()
		if f.Handshake() == nil {
			do(f)
		}
	}), opts).until(t)
}

// authority signs for backends and clients of one test.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t testing.TB) *authority {
	a := &authority{}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "test root"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour),
	}
	var der []byte
	der, a.key = a.sign(t, template)
	var err error
	a.cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return a
}

// sign signs template for a new key; without a certificate of its own a signs
// itself.
func (a *authority) sign(t testing.TB, template *x509.Certificate) ([]byte, crypto.Signer) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	by, with := a.cert, a.key
	if by == nil {
		by, with = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), with)
	require.NoError(t, err)
	return der, key
}

// leaf is a certificate for 127.0.0.1 and name, to backends and clients, that
// ends then.
func (a *authority) leaf(t testing.TB, name string, until time.Time) tls.Certificate {
	der, key := a.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotAfter: until,
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// server is a backend's configuration, for 127.0.0.1 and be.example.
func (a *authority) server(t testing.TB) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{a.leaf(t, "be.example", time.Now().Add(time.Hour))}}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// trusting are options for backends that a signed for.
func (a *authority) trusting(opts Options) Options {
	config := &tls.Config{RootCAs: a.pool()}
	opts.TLS = func() *tls.Config { return config }
	return opts
}
