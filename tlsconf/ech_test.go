package tlsconf

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"

	"github.com/trackgate/trackgate/configs"
)

// echFor makes a key and the list for clients (RFC 9849, 4) that hides behind publicName.
func echFor(t testing.TB, publicName string, suite ...uint16) (list []byte, key *ecdh.PrivateKey) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	if len(suite) == 0 {
		suite = []uint16{kdfSHA256, aeadAES128}
	}
	var b cryptobyte.Builder
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
		b.AddBytes([]byte{0xab, 0xcd, 0, 1, 7}) // of a version to come
		b.AddUint16(echVersion)
		b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(1)
			b.AddUint16(kemX25519)
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(key.PublicKey().Bytes()) })
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddUint16(suite[0]); b.AddUint16(suite[1]) })
			b.AddUint8(64)
			b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(publicName)) })
			b.AddUint16(0)
		})
	})
	return b.BytesOrPanic(), key
}

func echPEM(t testing.TB, key *ecdh.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// hidden is a gate with keys for ECH in one PEM file, and what its clients know.
func hidden(t *testing.T, listeners ...configs.Listener) (g *gate, list []byte) {
	folder, root := t.TempDir(), newRoot(t)
	list, key := echFor(t, "track.example.com")
	file := filepath.Join(folder, "ech.pem")
	put(t, file, append(echPEM(t, key), pem.EncodeToMemory(&pem.Block{Type: "ECHCONFIG", Bytes: list})...))
	k, err := New(configs.TLS{
		Files: []configs.KeyPair{root.pair(t, folder, "tls", order{hosts: hostsOf(listeners)})},
		ECH:   []configs.ECHKey{{Config: file, PrivateKey: file}},
	}, listeners, (&log{}).logger())
	require.NoError(t, err)
	return serve(t, &gate{keeper: k, root: root}, listeners), list
}

// hides is a client that hides the name it asks for.
func (g *gate) hides(name string, list []byte) *tls.Config {
	client := g.client(name)
	client.EncryptedClientHelloConfigList = list
	return client
}

func TestTheHiddenNameChoosesTheListener(t *testing.T) {
	g, list := hidden(t, track(), gui())
	client := g.hides("gui.example.com", list)
	raw, err := net.Dial("tcp", g.addr)
	require.NoError(t, err)
	said := &recorder{}
	conn := tls.Client(teed{raw, said}, client)
	defer conn.Close()
	_, err = conn.Write([]byte{'?'})
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, 1))
	require.NoError(t, err)

	require.True(t, conn.ConnectionState().ECHAccepted)
	require.Equal(t, 1, (<-g.ends).listener)
	require.NotContains(t, said.String(), "gui.example.com")
	require.Contains(t, said.String(), "track.example.com")
}

// The name outside is an open listener's: it must not let anybody in by the other.
func TestAHiddenNameDoesNotPassByTheGuard(t *testing.T) {
	ca, shut := newRoot(t), gui()
	shut.ClientCertificates = required()
	shut.ClientCertificates.CA = caFile(t, ca)
	g, list := hidden(t, track(), shut)
	old, _ := echFor(t, "gui.example.com")
	again := func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.SecP256r1MLKEM768, tls.CurveP384} } // HelloRetryRequest
	shows := func(c *tls.Config) {
		cert := ca.clientOf(t, wanted{})
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	fromOpen := g.hides("track.example.com", list)
	fromOpen.ClientSessionCache = &oneSession{}
	g.ok(t, fromOpen)
	for name, test := range map[string]struct {
		list   []byte
		like   []func(*tls.Config)
		result string
	}{
		"without":                      {list, nil, resultClientNone},
		"without, asked again":         {list, []func(*tls.Config){again}, resultClientNone},
		"with":                         {list, []func(*tls.Config){shows}, resultOK},
		"with, asked again":            {list, []func(*tls.Config){shows, again}, resultOK},
		"with a session of the open":   {list, []func(*tls.Config){func(c *tls.Config) { c.ClientSessionCache = fromOpen.ClientSessionCache }}, resultClientNone},
		"as an authority":              {list, []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{ChallengeProtocol} }}, resultUnknownName},
		"as an authority and a client": {list, []func(*tls.Config){func(c *tls.Config) { c.NextProtos = []string{ChallengeProtocol, "http/1.1"} }}, resultClientNone},
		"by an old key":                {old, []func(*tls.Config){shows}, resultClientNone}, // a rejected client shows nothing (RFC 9849, 6.1.7)
	} {
		t.Run(name, func(t *testing.T) {
			client := g.hides("gui.example.com", test.list)
			for _, change := range test.like {
				change(client)
			}
			conn, err := tls.Dial("tcp", g.addr, client)
			if err == nil {
				defer conn.Close()
				_, _ = conn.Write([]byte{'?'})
				_, _ = conn.Read(make([]byte, 1))
			}
			end := <-g.ends
			require.Equal(t, test.result, HandshakeResult(end.err), "%v", end.err)
			require.Equal(t, 1, end.listener)
		})
	}
}

// teed keeps what is written.
type teed struct {
	net.Conn
	said *recorder
}

func (c teed) Write(b []byte) (int, error) {
	_, _ = c.said.Write(b)
	return c.Conn.Write(b)
}

func TestAClientWithAnOldKeyIsToldTheNewOne(t *testing.T) {
	g, _ := hidden(t, track(), gui())
	client := g.client("gui.example.com")
	client.EncryptedClientHelloConfigList, _ = echFor(t, "track.example.com")

	_, _, err := g.visit(t, client)
	var rejected *tls.ECHRejectionError
	require.True(t, errors.As(err, &rejected), "%v", err)

	client.EncryptedClientHelloConfigList = rejected.RetryConfigList
	state := g.ok(t, client)
	require.True(t, state.ECHAccepted)
}

func TestClientsWithoutECHComeAsBefore(t *testing.T) {
	g, _ := hidden(t, track(), gui())
	eachVersion(t, func(t *testing.T, version uint16) {
		client := returning(t, g, "gui.example.com", version)
		require.True(t, g.ok(t, client).DidResume)
	})
}

func TestAHiddenNameThatNobodyConfiguredIsRefused(t *testing.T) {
	g, list := hidden(t, track(), gui())
	client := g.hides("other.example.com", list)
	_, end, err := g.visit(t, client)
	require.ErrorContains(t, err, "unrecognized name")
	require.Equal(t, "unknown_name", HandshakeResult(end.err))
	require.Equal(t, -1, end.listener)
}

func TestECHKeysAreCheckedAtTheStart(t *testing.T) {
	list, key := echFor(t, "track.example.com")
	other, _ := echFor(t, "track.example.com")
	stranger, strangerKey := echFor(t, "other.example.com")
	locked, lockedKey := echFor(t, "gui.example.com")
	odd, oddKey := echFor(t, "track.example.com", 3, 3)
	block := func(list []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "ECHCONFIG", Bytes: list}) }
	for _, test := range []struct {
		name        string
		config, key []byte
		want        string // "" is good
	}{
		{"PEM", block(list), echPEM(t, key), ""},
		{"raw", list, key.Bytes(), ""},
		{"key of another", other, key.Bytes(), "no config of the list is for this key"},
		{"half a list", list[:20], key.Bytes(), "no ECHConfigList"},
		{"an empty list", []byte{0, 0}, key.Bytes(), "no ECHConfigList"},
		{"the key as config", echPEM(t, key), key.Bytes(), "no ECHConfigList"},
		{"half a key", list, key.Bytes()[:31], "neither a PEM block PRIVATE KEY nor 32 raw bytes"},
		{"key of a certificate", list, privatePEM(t, newECDSA(t)), "not one of X25519"},
		{"name of another site", stranger, strangerKey.Bytes(), `the public name "other.example.com" is none of the hosts`},
		{"name that asks for certificates", locked, lockedKey.Bytes(), `"gui.example.com" is on a listener that demands certificates`},
		{"rare suite", odd, oddKey.Bytes(), "every client knows"},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			keys := configs.ECHKey{Config: filepath.Join(folder, "config"), PrivateKey: filepath.Join(folder, "key")}
			put(t, keys.Config, test.config)
			put(t, keys.PrivateKey, test.key)
			shut := gui()
			shut.ClientCertificates = required()
			shut.ClientCertificates.CA = caFile(t, newRoot(t))
			settings := internalCA(t.TempDir())
			settings.ECH = []configs.ECHKey{keys}

			_, err := New(settings, []configs.Listener{track(), shut}, (&log{}).logger())

			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.want)
			require.ErrorContains(t, err, "tls.ech: config "+keys.Config)
			require.NotContains(t, err.Error(), string(key.Bytes()))
		})
	}
}

// What is taken is part of what was there, and crypto/tls takes it as well.
func FuzzECHList(f *testing.F) {
	list, _ := echFor(f, "track.example.com")
	f.Add(list)
	f.Add(list[:len(list)-1])
	f.Add([]byte{0, 4, 0xfe, 0x0d, 0, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		configs, err := parseECHList(text)
		for _, c := range configs {
			if err != nil || !bytes.Contains(text, c.raw) || c.publicName == "" {
				t.Errorf("%v: %x is not of %x", err, c.raw, text)
			}
		}
	})
}
