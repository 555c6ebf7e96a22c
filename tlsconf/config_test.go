package tlsconf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestNameChoosesListener(t *testing.T) {
	wild := configs.Listener{Name: "wild", TLS: true, Hosts: []string{"*.wild.example.com"}}
	byAddress := configs.Listener{Name: "address", TLS: true, Hosts: []string{"127.0.0.1"}}
	g := newGate(t, track(), gui(), wild, byAddress)
	for _, test := range []struct {
		name     string
		listener int
	}{
		{"track.example.com", 0},
		{"t.example.com", 0},
		{"gui.example.com", 1},
		{"GUI.Example.COM", 1},
		{"a.wild.example.com", 2},
		{"", 3}, // the local address stands for the name
	} {
		t.Run(test.name, func(t *testing.T) {
			state, end, err := g.visit(t, g.client(test.name))

			require.NoError(t, err)
			require.NoError(t, end.err)
			require.Equal(t, test.listener, end.listener)
			require.Equal(t, uint16(tls.VersionTLS13), state.Version)
		})
	}
}

// RFC 6066 does not allow it, and some clients do it: an address as a name.
func TestAddressSentAsName(t *testing.T) {
	byAddress := configs.Listener{Name: "address", TLS: true, Hosts: []string{"127.0.0.1", "127.0.0.2"}}
	g := newGate(t, track(), byAddress)
	hello := helloMessage(g.client("127-0-0-2.")) // crypto/tls sends no address, so its name is exchanged
	require.Contains(t, string(hello), "127-0-0-2")

	hello = bytes.Replace(hello, []byte("127-0-0-2"), []byte("127.0.0.2"), 1)
	answer, end := g.send(t, inRecords(hello))

	require.Equal(t, 1, end.listener)
	require.Equal(t, byte(22), answer[0], "a ServerHello")
}

func TestUnknownNamesAreRefused(t *testing.T) {
	g := newGate(t, track(), gui(), configs.Listener{Name: "wild", TLS: true, Hosts: []string{"*.wild.example.com"}})
	for _, name := range []string{"other.example.com", "example.com", "wild.example.com", "a.b.wild.example.com", ""} {
		for _, versions := range [][2]uint16{
			{tls.VersionTLS12, tls.VersionTLS13}, {tls.VersionTLS13, tls.VersionTLS13}, {tls.VersionTLS12, tls.VersionTLS12},
		} {
			client := g.client(name)
			client.MinVersion, client.MaxVersion = versions[0], versions[1]

			_, end, err := g.visit(t, client)

			require.ErrorContains(t, err, "unrecognized name", name)
			require.Equal(t, "unknown_name", HandshakeResult(end.err))
			require.Equal(t, -1, end.listener)
		}
	}
}

func TestPlainListenerOfAnAddressHasNoHandshake(t *testing.T) {
	plain := configs.Listener{Name: "plain", Kind: configs.Redirect, Hosts: []string{"plain.example.com"}}
	g := newGate(t, track(), plain)

	_, end, err := g.visit(t, g.client("plain.example.com"))

	require.ErrorContains(t, err, "unrecognized name")
	require.Equal(t, -1, end.listener)
}

func TestOldVersionsAreRefused(t *testing.T) {
	for _, test := range []struct {
		minVersion string
		client     uint16
		refused    bool
	}{
		{"1.2", tls.VersionTLS10, true},
		{"1.2", tls.VersionTLS11, true},
		{"1.2", tls.VersionTLS12, false},
		{"", tls.VersionTLS11, true},
		{"1.3", tls.VersionTLS12, true},
		{"1.3", tls.VersionTLS13, false},
	} {
		g := gateWith(t, configs.TLS{MinVersion: test.minVersion})
		client := g.client("track.example.com")
		client.MinVersion, client.MaxVersion = tls.VersionTLS10, test.client

		_, end, err := g.visit(t, client)

		if !test.refused {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "protocol version not supported")
		require.Equal(t, "protocol_version", HandshakeResult(end.err))
	}
}

func TestOnlyForwardSecretAEADSuites(t *testing.T) {
	g := newGate(t)
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		client := g.client("track.example.com")
		client.MaxVersion, client.CipherSuites = tls.VersionTLS12, []uint16{suite.ID}
		if suite.SupportedVersions[0] == tls.VersionTLS13 {
			continue // not for the operator or the client to choose
		}
		_, end, err := g.visit(t, client)

		switch suite.ID { // the certificate's key is ECDSA
		case tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
			require.NoError(t, err, suite.Name)
		default:
			require.ErrorContains(t, err, "handshake failure", suite.Name)
			require.Equal(t, "no_shared_cipher", HandshakeResult(end.err), suite.Name)
		}
	}
}

func TestCurves(t *testing.T) {
	g := newGate(t)
	for _, curve := range []tls.CurveID{tls.X25519MLKEM768, tls.X25519, tls.CurveP256, tls.CurveP384} {
		client := g.client("track.example.com")
		client.CurvePreferences = []tls.CurveID{curve}
		require.Equal(t, curve, g.ok(t, client).CurveID)
	}
	client := g.client("track.example.com")
	client.CurvePreferences = []tls.CurveID{tls.CurveP521}
	_, end, _ := g.visit(t, client)
	require.Equal(t, "no_shared_cipher", HandshakeResult(end.err))
}

// Who does not want it does without; everybody else speaks what both know.
func TestHybridKeyExchangeCanBeSwitchedOff(t *testing.T) {
	for on, want := range map[bool]tls.CurveID{true: tls.X25519MLKEM768, false: tls.X25519} {
		root, l := newRoot(t), &log{}
		files := root.pair(t, t.TempDir(), "tls", order{hosts: track().Hosts})
		k, err := New(configs.TLS{Files: []configs.KeyPair{files}, HybridKeyExchange: on}, []configs.Listener{track()}, l.logger())
		require.NoError(t, err)
		g := serve(t, &gate{keeper: k, log: l, root: root}, []configs.Listener{track()})
		require.Equal(t, want, g.ok(t, g.client("track.example.com")).CurveID)
	}
}

func TestAListenerHasAMinimumVersionOfItsOwn(t *testing.T) {
	strict := gui()
	strict.MinVersion = "1.3"
	g := newGate(t, track(), strict)
	old := g.client("track.example.com")
	old.MaxVersion = tls.VersionTLS12
	require.Equal(t, uint16(tls.VersionTLS12), g.ok(t, old).Version)
	old.ServerName = "gui.example.com"
	_, end, err := g.visit(t, old)
	require.ErrorContains(t, err, "protocol version not supported")
	require.Equal(t, "protocol_version", HandshakeResult(end.err))
}

// With two kinds of key for one host, each client gets one it understands, and
// the cheaper one if it understands both.
func TestKindOfKeyFollowsClient(t *testing.T) {
	root, folder := newRoot(t), t.TempDir()
	files := []configs.KeyPair{
		root.pair(t, folder, "rsa", order{hosts: track().Hosts, key: newRSA(t)}),
		root.pair(t, folder, "ecdsa", order{hosts: track().Hosts}),
	}
	k, err := New(configs.TLS{Files: files}, []configs.Listener{track()}, (&log{}).logger())
	require.NoError(t, err)
	g := serve(t, &gate{keeper: k, root: root}, []configs.Listener{track()})

	client := g.client("track.example.com")
	require.Equal(t, x509.ECDSA, g.ok(t, client).PeerCertificates[0].PublicKeyAlgorithm)
	client.MaxVersion, client.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	require.Equal(t, x509.RSA, g.ok(t, client).PeerCertificates[0].PublicKeyAlgorithm)
	client.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
	_, _, err = g.visit(t, client)
	require.ErrorContains(t, err, "handshake failure")
}

func TestChoosingAllocatesNothing(t *testing.T) {
	k := newGate(t).keeper
	config := k.Config([]configs.Listener{track(), gui()})
	hello := &tls.ClientHelloInfo{ServerName: "gui.example.com", SupportedVersions: []uint16{tls.VersionTLS13}}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		chosen, _ := config.GetConfigForClient(hello)
		cert, _ := k.certificate(hello)
		if chosen != k.inner["gui"] || cert == nil {
			t.Error("the wrong choice")
		}
	}))
}

// gateWith serves track with a certificate for it and the rest of settings.
func gateWith(t *testing.T, settings configs.TLS) *gate {
	root := newRoot(t)
	settings.Files = []configs.KeyPair{root.pair(t, t.TempDir(), "tls", order{hosts: track().Hosts})}
	l := &log{}
	k, err := New(settings, []configs.Listener{track()}, l.logger())
	require.NoError(t, err)
	return serve(t, &gate{keeper: k, log: l, root: root}, []configs.Listener{track()})
}
