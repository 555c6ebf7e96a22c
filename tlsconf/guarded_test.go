package tlsconf

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// guarded is a gate with a listener track that clients show certificates to, and a
// listener gui that they do not.
type guarded struct {
	*gate
	clock *clock
	ca    signer // of clients
	files configs.ClientCertificates
	keys  configs.TLS
	all   []configs.Listener
}

// newGuarded serves with rules, whose files it writes: the CA, and lists if there are
// any, by the CA of clients.
func newGuarded(t testing.TB, rules configs.ClientCertificates, lists ...list) *guarded {
	folder, root := t.TempDir(), newRoot(t)
	g := &guarded{clock: &clock{at: time.Now()}, ca: newRoot(t), files: rules}
	g.files.CA = filepath.Join(folder, "clients.pem")
	put(t, g.files.CA, certificatePEM(g.ca.cert))
	if len(lists) > 0 {
		g.files.CRL = filepath.Join(folder, "clients.crl")
		put(t, g.files.CRL, g.ca.revoke(t, lists[0]))
	}
	shut := track()
	shut.ClientCertificates = g.files
	g.all = []configs.Listener{shut, gui()}
	g.keys.Files = []configs.KeyPair{root.pair(t, folder, "tls", order{hosts: hostsOf(g.all)})}
	l := &log{}
	k, err := newKeeper(g.keys, g.all, l.logger(), g.clock.now)
	require.NoError(t, err)
	g.gate = serve(t, &gate{keeper: k, log: l, root: root}, g.all)
	return g
}

// shows is a client that shows a certificate, however little the gate asked for it.
func (g *guarded) shows(version uint16, cert *tls.Certificate) *tls.Config {
	client := g.client("track.example.com")
	client.MaxVersion = version
	if cert != nil {
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	return client
}

// turnedAway is a visit that must end with an alert and a word.
func (g *guarded) turnedAway(t *testing.T, client *tls.Config, alert, result string) {
	t.Helper()
	conn, err := tls.Dial("tcp", g.addr, client)
	if err == nil {
		_, err = conn.Read(make([]byte, 1)) // TLS 1.3 tells the client only here
		conn.Close()
	}
	require.ErrorContains(t, err, alert)
	end := <-g.ends
	require.Equal(t, result, HandshakeResult(end.err), "%v", end.err)
	require.Equal(t, 0, end.listener)
}

// wanted is a client's certificate to be made; what is left out is the usual.
type wanted struct {
	from, until time.Time
	usage       x509.ExtKeyUsage
	serial      int64
	chain       []signer // sent behind the leaf; the first one signs
	sans        x509.Certificate
}

// clientOf makes a certificate of a client.
func (s signer) clientOf(t testing.TB, w wanted) *tls.Certificate {
	template := w.sans
	template.Subject = pkix.Name{CommonName: "client"}
	template.NotBefore, template.NotAfter = w.from, w.until
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{w.usage}
	if w.serial != 0 {
		template.SerialNumber = big.NewInt(w.serial)
	}
	if w.from.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if w.until.IsZero() {
		template.NotAfter = time.Now().AddDate(0, 0, 60)
	}
	if w.usage == 0 {
		template.ExtKeyUsage[0] = x509.ExtKeyUsageClientAuth
	}
	if len(w.chain) > 0 {
		s = w.chain[0]
	}
	key := newECDSA(t)
	made := &tls.Certificate{Certificate: [][]byte{signed(t, &template, s, key).Raw}, PrivateKey: key}
	for _, c := range w.chain {
		made.Certificate = append(made.Certificate, c.cert.Raw)
	}
	return made
}

// list is a revocation list to be made.
type list struct {
	serials  []int64
	certs    []signer // revoked as well
	from     time.Time
	until    time.Time
	partial  bool // it has what a list has that is not whole
	critical bool // and says that this must be understood
}

// revoke returns the PEM of a list.
func (s signer) revoke(t testing.TB, l list) []byte {
	if l.until.IsZero() {
		l.until = time.Now().AddDate(0, 0, 7)
	}
	if l.from.IsZero() {
		l.from = time.Now().Add(-time.Hour)
	}
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: l.from, NextUpdate: l.until}
	for _, c := range l.certs {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.cert.SerialNumber, RevocationTime: template.ThisUpdate})
	}
	for _, serial := range l.serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: template.ThisUpdate})
	}
	if l.partial || l.critical {
		template.ExtraExtensions = []pkix.Extension{{Id: []int{2, 5, 29, 27}, Critical: l.critical, Value: []byte{2, 1, 1}}}
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, s.cert, s.key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}
