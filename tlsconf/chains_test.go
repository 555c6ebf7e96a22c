package tlsconf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// below returns a signer that s has signed for, as between says.
func (s signer) below(t testing.TB, between x509.Certificate) signer {
	key := newECDSA(t)
	between.Subject = pkix.Name{CommonName: "between"}
	between.NotBefore, between.NotAfter = s.cert.NotBefore, s.cert.NotAfter
	between.BasicConstraintsValid = true
	return signer{cert: signed(t, &between, s, key), key: key}
}

func TestOnlyChainsOfTheCAComeIn(t *testing.T) {
	g := newGuarded(t, required())
	sign := x509.KeyUsageCertSign
	chained := func(signers ...signer) *tls.Certificate {
		return g.ca.clientOf(t, wanted{chain: signers, sans: x509.Certificate{DNSNames: []string{"a.example.com"}}})
	}
	under := func(between x509.Certificate) *tls.Certificate { return chained(g.ca.below(t, between)) }
	last := g.ca.below(t, x509.Certificate{IsCA: true, KeyUsage: sign, MaxPathLenZero: true})
	twin := newRoot(t) // another key under the name of the CA
	good := g.ca.clientOf(t, wanted{})
	for name, test := range map[string]struct {
		cert *tls.Certificate
		in   bool
	}{
		"a CA between":            {under(x509.Certificate{IsCA: true, KeyUsage: sign}), true},
		"for these names":         {under(x509.Certificate{IsCA: true, KeyUsage: sign, PermittedDNSDomains: []string{"example.com"}}), true},
		"for other names":         {under(x509.Certificate{IsCA: true, KeyUsage: sign, PermittedDNSDomains: []string{"example.org"}}), false},
		"not for these names":     {under(x509.Certificate{IsCA: true, KeyUsage: sign, ExcludedDNSDomains: []string{"A.example.com"}}), false},
		"no CA":                   {under(x509.Certificate{KeyUsage: sign}), false},
		"no key to sign with":     {under(x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageDigitalSignature}), false},
		"a CA for servers":        {under(x509.Certificate{IsCA: true, KeyUsage: sign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}), false},
		"below the last":          {chained(last.below(t, x509.Certificate{IsCA: true, KeyUsage: sign}), last), false},
		"a client that signs":     {under(x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}), false},
		"another of this name":    {twin.clientOf(t, wanted{}), false},
		"with the CA behind":      {&tls.Certificate{Certificate: [][]byte{twin.clientOf(t, wanted{}).Certificate[0], g.ca.cert.Raw}, PrivateKey: newECDSA(t)}, false},
		"something strange along": {&tls.Certificate{Certificate: [][]byte{good.Certificate[0], twin.cert.Raw}, PrivateKey: good.PrivateKey}, true},
		"more than a dozen":       {chained(ladder(t, g.ca, 12)...), false},
	} {
		t.Run(name, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, version uint16) {
				if test.in {
					g.ok(t, g.shows(version, test.cert))
					return
				}
				g.turnedAway(t, g.shows(version, test.cert), "", "client_certificate_untrusted")
			})
		})
	}
}

// ladder returns so many CAs, each below the next.
func ladder(t testing.TB, top signer, steps int) []signer {
	chain := make([]signer, steps)
	for i := steps - 1; i >= 0; i-- {
		top = top.below(t, x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign})
		chain[i] = top
	}
	return chain
}

// Certificates that are all each other's parents take a hundred signatures to be seen
// through, with keys as slow as the client likes. None of them is to be looked at.
func TestAMazeOfCertificatesIsNotWalked(t *testing.T) {
	g := newGuarded(t, required())
	client := g.shows(tls.VersionTLS12, g.ca.clientOf(t, wanted{chain: maze(t, newECDSA(t))})) // of which Dial tells
	_, err := tls.Dial("tcp", g.addr, client)
	require.Error(t, err)
	end := <-g.ends
	require.Equal(t, "client_certificate_untrusted", HandshakeResult(end.err))
	require.NotContains(t, end.err.Error(), "signature check attempts")
}

// maze returns certificates of one name and key.
func maze(t testing.TB, key crypto.Signer) []signer {
	walls := make([]signer, 9)
	for i := range walls {
		wall := &x509.Certificate{
			Subject: pkix.Name{CommonName: "maze"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
			DNSNames: []string{strconv.Itoa(i)}, // or crypto/x509 takes all for the same
		}
		walls[i] = signer{cert: signed(t, wall, signer{cert: wall, key: key}, key), key: key}
	}
	return walls
}

// What a refusal costs, by the keys that a client likes best. The client's work counts too.
func BenchmarkMaze(b *testing.B) {
	g := newGuarded(b, required())
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		require.NoError(b, err)
		client := g.shows(tls.VersionTLS12, g.ca.clientOf(b, wanted{chain: maze(b, key)}))
		b.Run(curve.Params().Name, func(b *testing.B) {
			for b.Loop() {
				_, err := tls.Dial("tcp", g.addr, client)
				require.Error(b, err)
				<-g.ends
			}
		})
	}
}
