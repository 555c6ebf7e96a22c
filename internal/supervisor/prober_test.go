package supervisor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const host = "track.example.com"

// signed returns a certificate that signs itself for names, and ends at end.
func signed(t *testing.T, end time.Time, names ...string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
		IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	return &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

func roots(c *tls.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.Leaf)
	return pool
}

// answering is a listener that takes each connection and has serve answer it.
func answering(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			conn.Close()
		}
	}()
	return l.Addr().String()
}

// shows is a listener where c is shown in handshakes.
func shows(t *testing.T, c *tls.Config) string {
	return answering(t, func(conn net.Conn) { tls.Server(conn, c).Handshake() })
}

// silent is an address where connections are made by the system alone.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func probe(t *testing.T, p *Prober, door Door) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	door.Listener = "public"
	return p.Probe(ctx, []Door{door})
}

func TestWhatAProbeDemands(t *testing.T) {
	t.Parallel()
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	good, other, old := signed(t, tomorrow, host), signed(t, tomorrow, "x.example.com"), signed(t, yesterday, host)
	wild := signed(t, tomorrow, "*.example.com")
	chain := func(c *tls.Certificate) string { return shows(t, &tls.Config{Certificates: []tls.Certificate{*c}}) }
	nothing := shows(t, &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }})
	asking := func(newest uint16) string {
		return shows(t, &tls.Config{Certificates: []tls.Certificate{*good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: newest})
	}
	for name, row := range map[string]struct {
		door Door
		want string // "" is a probe that passes
	}{
		"a good one":                      {Door{Address: chain(good)}, ""},
		"a good one of our CA":            {Door{Address: chain(good), Roots: roots(good)}, ""},
		"of another CA":                   {Door{Address: chain(good), Roots: roots(other)}, "unknown authority"},
		"for another name":                {Door{Address: chain(other)}, "valid for x.example.com"},
		"by a wildcard":                   {Door{Address: chain(wild)}, ""},
		"ended":                           {Door{Address: chain(old)}, "there is a better one"},
		"ended, of our CA":                {Door{Address: chain(old), Roots: roots(old), Ended: true}, "expired"},
		"ended, as everybody knows":       {Door{Address: chain(old), Ended: true}, ""},
		"another name, and known to end":  {Door{Address: chain(other), Ended: true}, "valid for x.example.com"},
		"none":                            {Door{Address: nothing}, "unrecognized name"},
		"none, as everybody knows":        {Door{Address: nothing, Refuses: true}, ""},
		"a client's is missing":           {Door{Address: asking(tls.VersionTLS13), Refuses: true}, ""},
		"a client's is missing, TLS 1.2":  {Door{Address: asking(tls.VersionTLS12), Refuses: true}, ""},
		"nobody accepts":                  {Door{Address: silent(t)}, "deadline exceeded"},
		"nobody accepts, whatever's held": {Door{Address: silent(t), Refuses: true, Ended: true}, "deadline exceeded"},
		"closed without a word":           {Door{Address: answering(t, func(c net.Conn) { c.Read(make([]byte, 1<<14)) }), Refuses: true}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.door.TLS, row.door.Host = true, host
			err := probe(t, new(Prober), row.door)
			if row.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, "listener public: ")
			assert.ErrorContains(t, err, row.want)
		})
	}
}

func TestAProbeOfPlainHTTP(t *testing.T) {
	t.Parallel()
	assert.NoError(t, probe(t, new(Prober), Door{Address: answering(t, func(net.Conn) {})}))
	assert.ErrorContains(t, probe(t, new(Prober), Door{Address: silent(t)}), "not taken", "that the system takes it means nothing")
}

func TestAClosedDoorFailsTheProbe(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.Close()
	assert.ErrorContains(t, probe(t, new(Prober), Door{Address: l.Addr().String(), TLS: true, Host: host}), "connection refused")
}

// A gate that stands by listens on an address that another machine has. To come in by
// that would be to ask the other one.
func TestWhatIsOnAnotherMachineIsNotAsked(t *testing.T) {
	t.Parallel()
	assert.NoError(t, probe(t, new(Prober), Door{Address: "192.0.2.1:443", TLS: true, Host: host}))
}

// The gate has to know whose a connection is as soon as it accepts it, and never to take
// anybody else's for it.
func TestAProbeIsKnownByItsPort(t *testing.T) {
	t.Parallel()
	p := new(Prober)
	type visit struct {
		from netip.AddrPort
		own  bool
	}
	visits := make(chan visit, 1)
	address := answering(t, func(conn net.Conn) {
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
		visits <- visit{from, p.Own(from)}
	})
	for range 100 {
		require.NoError(t, probe(t, p, Door{Address: address}))
		v := <-visits
		require.True(t, v.own)
		require.False(t, p.Own(v.from), "it is over")
	}
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	assert.False(t, (<-visits).own)
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on loopback: ", err)
	}
	defer l.Close()
	p, known := new(Prober), make(chan bool, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			known <- p.Own(conn.RemoteAddr().(*net.TCPAddr).AddrPort())
			conn.Close()
		}
	}()
	assert.NoError(t, probe(t, p, Door{Address: l.Addr().String()}))
	assert.True(t, <-known)
}
