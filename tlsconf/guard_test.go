package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func required(names ...string) configs.ClientCertificates {
	return configs.ClientCertificates{Mode: configs.CertificateRequired, Names: names}
}

func TestOnlyClientsWithTheRightCertificateComeIn(t *testing.T) {
	g := newGuarded(t, required())
	between, hour := g.ca.intermediate(t), time.Hour
	for _, test := range []struct {
		name          string
		cert          *tls.Certificate
		alert, result string // "" is in
	}{
		{"signed by the CA", g.ca.clientOf(t, wanted{}), "", ""},
		{"signed below the CA", g.ca.clientOf(t, wanted{chain: []signer{between}}), "", ""},
		{"none", &tls.Certificate{}, "", "client_certificate_missing"},
		{"signed by the gate's own CA", g.root.clientOf(t, wanted{}), "bad certificate", "client_certificate_untrusted"},
		{"ended", g.ca.clientOf(t, wanted{until: time.Now().Add(-hour / 2)}), "bad certificate", "client_certificate_expired"},
		{"not begun", g.ca.clientOf(t, wanted{from: time.Now().Add(hour)}), "bad certificate", "client_certificate_expired"},
		{"a server's", g.ca.clientOf(t, wanted{usage: x509.ExtKeyUsageServerAuth}), "bad certificate", "client_certificate_untrusted"},
		{"key of another", &tls.Certificate{
			Certificate: g.ca.clientOf(t, wanted{}).Certificate, PrivateKey: newECDSA(t),
		}, "", "client_certificate_untrusted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, version uint16) {
				if test.result == "" {
					g.ok(t, g.shows(version, test.cert))
					return
				}
				g.turnedAway(t, g.shows(version, test.cert), test.alert, test.result)
			})
		})
	}
}

func TestWithoutACertificateTheAlertSaysSo(t *testing.T) {
	g := newGuarded(t, required())
	g.turnedAway(t, g.shows(tls.VersionTLS13, nil), "certificate required", "client_certificate_missing")
	g.turnedAway(t, g.shows(tls.VersionTLS12, nil), "handshake failure", "client_certificate_missing")
}

func TestOptionalCertificatesHaveToBeGood(t *testing.T) {
	g := newGuarded(t, configs.ClientCertificates{Mode: configs.CertificateOptional, Names: []string{"a.example.com"}})
	eachVersion(t, func(t *testing.T, version uint16) {
		g.ok(t, g.shows(version, nil))
		g.ok(t, g.shows(version, g.ca.clientOf(t, wanted{sans: x509.Certificate{DNSNames: []string{"a.example.com"}}})))
		g.turnedAway(t, g.shows(version, g.ca.clientOf(t, wanted{})), "bad certificate", "client_certificate_name")
		g.turnedAway(t, g.shows(version, g.root.clientOf(t, wanted{})), "bad certificate", "client_certificate_untrusted")
	})
}

// The other listener of the address asks for nothing, and no session of it opens this one.
func TestOtherListenersAskForNothing(t *testing.T) {
	g := newGuarded(t, required())
	eachVersion(t, func(t *testing.T, version uint16) {
		client := returning(t, g.gate, "gui.example.com", version)
		require.True(t, g.ok(t, client).DidResume)
		client.ServerName = "track.example.com"
		g.turnedAway(t, client, "", "client_certificate_missing")
	})
}

func TestBadFilesOfClientsAreMistakesAtTheStart(t *testing.T) {
	folder, ca := t.TempDir(), newRoot(t)
	good, junk := filepath.Join(folder, "ca.pem"), filepath.Join(folder, "junk")
	put(t, good, certificatePEM(ca.cert))
	put(t, junk, []byte("-----BEGIN CERTIFICATE-----\nhalf"))
	foreign, partial := filepath.Join(folder, "foreign"), filepath.Join(folder, "partial")
	put(t, foreign, newRoot(t).revoke(t, list{}))
	put(t, partial, ca.revoke(t, list{critical: true}))
	missing := filepath.Join(folder, "missing")
	for name, test := range map[string]struct {
		rules configs.ClientCertificates
		want  string
	}{
		"no CA":             {configs.ClientCertificates{CA: missing}, "CA " + missing + ": no such file"},
		"broken CA":         {configs.ClientCertificates{CA: junk}, "no PEM block CERTIFICATE"},
		"no list":           {configs.ClientCertificates{CA: good, CRL: missing}, "CRL " + missing + ": no such file"},
		"broken list":       {configs.ClientCertificates{CA: good, CRL: junk}, "CRL " + junk + ": list 1 of the file cannot be read"},
		"list of another":   {configs.ClientCertificates{CA: good, CRL: foreign}, "is not signed by a CA of the CA file"},
		"a part of a list":  {configs.ClientCertificates{CA: good, CRL: partial}, "a complete list is needed"},
		"name that is none": {configs.ClientCertificates{CA: good, Names: []string{"*"}}, `"*" is no subject alternative name`},
	} {
		t.Run(name, func(t *testing.T) {
			shut := track()
			shut.ClientCertificates = test.rules
			_, err := New(internalCA(t.TempDir()), []configs.Listener{shut}, (&log{}).logger())
			require.ErrorContains(t, err, `listener "public": client_certificates: `)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestANewCAOfClientsTakesOver(t *testing.T) {
	g := newGuarded(t, required())
	old, next := g.shows(0, g.ca.clientOf(t, wanted{})), newRoot(t)
	g.ok(t, old)

	put(t, g.files.CA, certificatePEM(next.cert))
	g.keeper.refresh()

	g.turnedAway(t, old, "bad certificate", "client_certificate_untrusted")
	g.ok(t, g.shows(0, next.clientOf(t, wanted{})))
}

func TestABrokenCAOfClientsIsSaidOnceAndTheOldOneStays(t *testing.T) {
	g := newGuarded(t, required())
	client := g.shows(0, g.ca.clientOf(t, wanted{}))
	for _, spoil := range []func(){
		func() { put(t, g.files.CA, []byte("junk")) },
		func() { put(t, g.files.CA, []byte("# no CA for now\n")) },
		func() {
			next := certificatePEM(newRoot(t).cert)
			put(t, g.files.CA, append(certificatePEM(newRoot(t).cert), next[:len(next)-10]...))
		},
		func() { require.NoError(t, os.Remove(g.files.CA)) },
	} {
		spoil()
		g.keeper.refresh()
		g.keeper.refresh()
		g.ok(t, client)
		g.turnedAway(t, g.shows(0, nil), "certificate required", "client_certificate_missing")
	}
	require.Equal(t, 4, strings.Count(g.log.String(), "new CA of clients is broken, the old one stays in use"), g.log.String())
}

func TestFilesOfClientsAreFollowed(t *testing.T) {
	g := newGuarded(t, required(), list{})
	running(t, g.keeper, usualPace())
	client := g.shows(0, g.ca.clientOf(t, wanted{serial: 7}))
	g.ok(t, client)

	before := g.keeper.guards["public"].config.Load()
	require.Eventually(t, func() bool { // Run may not watch yet: write until it has seen one
		put(t, g.files.CRL, g.ca.revoke(t, list{serials: []int64{7}}))
		return g.keeper.guards["public"].config.Load() != before
	}, 5*time.Second, 100*time.Millisecond)

	g.turnedAway(t, client, "bad certificate", "client_certificate_revoked")
}
