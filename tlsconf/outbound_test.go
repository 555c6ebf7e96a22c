package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// caFile writes what is trusted.
func caFile(t testing.TB, s signer) string {
	path := filepath.Join(t.TempDir(), "ca.crt")
	put(t, path, certificatePEM(s.cert))
	return path
}

// clientPair writes a client certificate into folder that begins at from.
func (s signer) clientPair(t testing.TB, folder, name string, from time.Time) configs.KeyPair {
	key := newECDSA(t)
	cert := signed(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: time.Now().AddDate(0, 0, 60),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, s, key)
	files := configs.KeyPair{Certificate: filepath.Join(folder, "client.crt"), Key: filepath.Join(folder, "client.key")}
	put(t, files.Certificate, certificatePEM(cert))
	put(t, files.Key, privatePEM(t, key))
	return files
}

// backendOf shakes hands with one client by a certificate of s for be.example,
// and returns who the client said it was, and how the client and the backend
// saw it end.
func backendOf(t testing.TB, s signer, config *tls.Config, clients *x509.CertPool) (shown string, client, backend error) {
	certPEM, keyPEM := s.sign(t, order{hosts: []string{"be.example"}})
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	require.NoError(t, err)
	served := &tls.Config{Certificates: []tls.Certificate{cert}}
	if clients != nil {
		served.ClientAuth, served.ClientCAs = tls.RequireAndVerifyClientCert, clients
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer near.Close()
	far, err := l.Accept()
	require.NoError(t, err)
	ended := make(chan error, 1)
	server := tls.Server(far, served)
	go func() {
		defer far.Close()
		err := server.Handshake()
		if err == nil {
			_, err = io.WriteString(server, "x")
		}
		ended <- err
	}()
	conn := tls.Client(near, config)
	if client = conn.Handshake(); client == nil {
		_, client = conn.Read(make([]byte, 1)) // TLS 1.3 tells the client of a refusal only here
	}
	near.Close()
	backend = <-ended
	if peers := server.ConnectionState().PeerCertificates; len(peers) > 0 {
		shown = peers[0].Subject.CommonName
	}
	return shown, client, backend
}

// expecting is the configuration of o for be.example.
func expecting(o *Outbound) *tls.Config {
	c := o.Config().Clone()
	if c.ServerName == "" {
		c.ServerName = "be.example"
	}
	return c
}

func TestOutboundTrustsTheCAOfTheFileAlone(t *testing.T) {
	ours, theirs := newRoot(t), newRoot(t)
	o, err := NewOutbound(configs.BackendTLS{CA: caFile(t, ours)}, (&log{}).logger())
	require.NoError(t, err)

	_, client, _ := backendOf(t, ours, expecting(o), nil)
	assert.NoError(t, client)
	_, client, _ = backendOf(t, theirs, expecting(o), nil)
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, client, &unknown)
}

func TestOutboundTrustsTheSystemWithoutAFile(t *testing.T) {
	o, err := NewOutbound(configs.BackendTLS{}, (&log{}).logger())
	require.NoError(t, err)
	assert.Nil(t, o.Config().RootCAs, "which is the system's")
	_, client, _ := backendOf(t, newRoot(t), expecting(o), nil)
	assert.Error(t, client)
}

func TestOutboundExpectsTheNameOfTheSettings(t *testing.T) {
	root := newRoot(t)
	o, err := NewOutbound(configs.BackendTLS{CA: caFile(t, root), ServerName: "another.example"}, (&log{}).logger())
	require.NoError(t, err)
	_, client, _ := backendOf(t, root, expecting(o), nil)
	var wrong x509.HostnameError
	require.ErrorAs(t, client, &wrong)
	assert.Equal(t, "another.example", wrong.Host)
}

func TestOutboundIsNeverLax(t *testing.T) {
	o, err := NewOutbound(configs.BackendTLS{}, (&log{}).logger())
	require.NoError(t, err)
	c := o.Config()
	assert.False(t, c.InsecureSkipVerify)
	assert.EqualValues(t, tls.VersionTLS12, c.MinVersion)
	assert.Equal(t, []string{"http/1.1"}, c.NextProtos)
	assert.Empty(t, c.ServerName)
	assert.Same(t, c, o.Config(), "as long as no file changes")
}

func TestOutboundShowsItsCertificate(t *testing.T) {
	root, clients := newRoot(t), newRoot(t)
	files := clients.clientPair(t, t.TempDir(), "the gate", time.Now().Add(-time.Hour))
	o, err := NewOutbound(configs.BackendTLS{CA: caFile(t, root), Certificate: files.Certificate, Key: files.Key}, (&log{}).logger())
	require.NoError(t, err)
	shown, client, backend := backendOf(t, root, expecting(o), clients.pool())
	require.NoError(t, client)
	require.NoError(t, backend)
	assert.Equal(t, "the gate", shown)

	// One that the backend does not take is shown all the same: its log says whose it was.
	_, client, backend = backendOf(t, root, expecting(o), newRoot(t).pool())
	assert.Error(t, client)
	assert.ErrorContains(t, backend, "unknown authority", "and not that none was shown")
}

func TestOutboundRefusesFilesThatAreBroken(t *testing.T) {
	root, folder := newRoot(t), t.TempDir()
	good := root.clientPair(t, folder, "good", time.Now().Add(-time.Hour))
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		put(t, path, []byte(text))
		return path
	}
	_, key := root.sign(t, order{})
	for name, test := range map[string]struct {
		settings configs.BackendTLS
		says     string
	}{
		"no CA file":       {configs.BackendTLS{CA: folder + "/none"}, "CA " + folder + "/none: no such file"},
		"a folder":         {configs.BackendTLS{CA: folder}, "not a regular file"},
		"a CA without PEM": {configs.BackendTLS{CA: file("empty", "")}, "holds no PEM block CERTIFICATE"},
		"a CA that is none": {configs.BackendTLS{CA: file("odd", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")},
			"certificate 1 of the file cannot be read"},
		"a CA too long": {configs.BackendTLS{CA: file("long", strings.Repeat("x", maxPEM+1))}, "longer than"},
		"no key":        {configs.BackendTLS{Certificate: good.Certificate, Key: folder + "/none"}, "key " + folder + "/none: no such file"},
		"another's key": {configs.BackendTLS{Certificate: good.Certificate, Key: file("other", string(key))}, "do not belong together"},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := NewOutbound(test.settings, (&log{}).logger())
			assert.Nil(t, o)
			assert.ErrorContains(t, err, test.says)
		})
	}
	_, err := NewOutbound(configs.BackendTLS{CA: folder + "/no-ca", Certificate: folder + "/no-cert", Key: good.Key}, (&log{}).logger())
	assert.ErrorContains(t, err, "no-ca")
	assert.ErrorContains(t, err, "no-cert", "all mistakes at once")
}

func TestANewCAIsTrustedAndTheOldOneIsNot(t *testing.T) {
	before, after, l := newRoot(t), newRoot(t), &log{}
	path := caFile(t, before)
	o, err := NewOutbound(configs.BackendTLS{CA: path}, l.logger())
	require.NoError(t, err)
	old := o.Config()
	put(t, path, certificatePEM(after.cert))

	o.refresh()

	require.NotSame(t, old, o.Config())
	_, client, _ := backendOf(t, after, expecting(o), nil)
	assert.NoError(t, client)
	_, client, _ = backendOf(t, before, expecting(o), nil)
	assert.Error(t, client)
	assert.Contains(t, l.String(), "new CA of a pool in use")
}

func TestABrokenCAIsSaidOnceAndTheOldOneStays(t *testing.T) {
	root, l := newRoot(t), &log{}
	path := caFile(t, root)
	o, err := NewOutbound(configs.BackendTLS{CA: path}, l.logger())
	require.NoError(t, err)
	old := o.Config()
	for _, spoil := range []func(){
		func() { put(t, path, []byte("none")) },
		func() { require.NoError(t, os.Remove(path)) },
		func() { put(t, path, certificatePEM(root.cert)) }, // as it was
	} {
		spoil()
		o.refresh()
		o.refresh()
		require.Same(t, old, o.Config())
	}
	assert.Equal(t, 2, strings.Count(l.String(), "\n"), "a line for each of the two: %s", l.String())
	assert.Equal(t, 2, strings.Count(l.String(), "new CA of a pool is broken, the old one stays in use"))
}

func TestANewClientCertificateIsShown(t *testing.T) {
	root, folder, l := newRoot(t), t.TempDir(), &log{}
	files := root.clientPair(t, folder, "first", time.Now().Add(-time.Hour))
	o, err := NewOutbound(configs.BackendTLS{CA: caFile(t, root), Certificate: files.Certificate, Key: files.Key}, l.logger())
	require.NoError(t, err)
	old := o.Config()
	shown := func() string {
		name, _, _ := backendOf(t, root, expecting(o), root.pool())
		return name
	}

	root.clientPair(t, folder, "of tomorrow", time.Now().AddDate(0, 0, 1))
	o.refresh()
	o.refresh()
	require.Same(t, old, o.Config(), "it is not valid yet")
	require.Equal(t, 1, strings.Count(l.String(), "new client certificate of a pool refused"), l.String())
	o.now = func() time.Time { return time.Now().AddDate(0, 0, 2) }
	o.refresh()
	require.NotSame(t, old, o.Config(), "its time has come, though the file is the same")

	put(t, files.Key, []byte("half written"))
	o.refresh()
	require.Equal(t, 2, strings.Count(l.String(), "new client certificate of a pool refused"), l.String())
	o.now = time.Now
	root.clientPair(t, folder, "second", time.Now().Add(-time.Hour))
	o.refresh()
	assert.Equal(t, "second", shown())
}

func TestOutboundFilesAreFollowed(t *testing.T) {
	for name, p := range map[string]pace{
		"told":       {settle: time.Millisecond, poll: time.Hour},
		"not so":     {settle: time.Hour, poll: 10 * time.Millisecond},
		"as usually": usualPace(),
	} {
		t.Run(name, func(t *testing.T) {
			path := caFile(t, newRoot(t))
			o, err := NewOutbound(configs.BackendTLS{CA: path}, (&log{}).logger())
			require.NoError(t, err)
			o.pace = p
			runs(t, o)
			old, after := o.Config(), certificatePEM(newRoot(t).cert)
			require.Eventually(t, func() bool { // Run may not watch yet: write until it has seen one
				put(t, path, after)
				return o.Config() != old
			}, 10*time.Second, 100*time.Millisecond)
		})
	}
}

func TestOutboundWithoutFilesRunsUntilItsEnd(t *testing.T) {
	l := &log{}
	o, err := NewOutbound(configs.BackendTLS{}, l.logger())
	require.NoError(t, err)
	config := o.Config()
	runs(t, o)
	o.refresh()
	assert.Same(t, config, o.Config())
	assert.Empty(t, l.String())
}

func TestOutboundSaysThatAFolderCannotBeWatched(t *testing.T) {
	path, l := caFile(t, newRoot(t)), &log{}
	o, err := NewOutbound(configs.BackendTLS{CA: path}, l.logger())
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	o.watchFolders().close()
	assert.Contains(t, l.String(), "cannot be watched")
}

// runs starts Run and ends it with the test.
func runs(t *testing.T, o *Outbound) {
	done := make(chan error, 1)
	ctx := t.Context() // ends before the cleanups
	go func() { done <- o.Run(ctx) }()
	t.Cleanup(func() { require.NoError(t, <-done) })
}
