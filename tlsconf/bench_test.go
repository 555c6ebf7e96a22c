package tlsconf

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// BenchmarkHandshake measures both sides of a handshake together, over a pipe in
// memory, since the client's share is the same in all cases. "ours" is what the
// gate does, "plain" the ticket encryption of crypto/tls in one configuration.
func BenchmarkHandshake(b *testing.B) {
	g := newGate(b)
	ours := g.keeper.Config([]configs.Listener{track(), gui()})
	plain := plainTwin(g.keeper)
	for _, bench := range []struct {
		name   string
		config *tls.Config
		resume bool
	}{
		{"full/ours", ours, false}, {"full/plain", plain, false},
		{"resumed/ours", ours, true}, {"resumed/plain", plain, true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			client := g.client("track.example.com")
			client.CurvePreferences = []tls.CurveID{tls.X25519}
			client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
			shake(b, bench.config, client)
			b.ReportAllocs()
			for b.Loop() {
				if !bench.resume {
					client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
				}
				require.Equal(b, bench.resume, shake(b, bench.config, client))
			}
		})
	}
}

// BenchmarkTicket measures what sealing and opening one ticket costs.
func BenchmarkTicket(b *testing.B) {
	session, state := someSession(b)
	ours, plain := newTickets(), &tls.Config{}
	plain.SetSessionTicketKeys([][32]byte{randomKey()})
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ticket, err := ours.wrap(state, session)
			require.NoError(b, err)
			_, _ = ours.unwrap(ticket, state)
		}
	})
	b.Run("plain", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ticket, err := plain.EncryptTicket(state, session)
			require.NoError(b, err)
			_, _ = plain.DecryptTicket(ticket, state)
		}
	})
}

// BenchmarkChoose measures the gate's own part of a handshake.
func BenchmarkChoose(b *testing.B) {
	k := newGate(b).keeper
	config := k.Config([]configs.Listener{track(), gui()})
	hello := &tls.ClientHelloInfo{ServerName: "gui.example.com", SupportedVersions: []uint16{tls.VersionTLS13}}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = config.GetConfigForClient(hello)
		_, _ = k.certificate(hello)
	}
}

// plainTwin is the listener's configuration without anything of ours.
func plainTwin(k *Keeper) *tls.Config {
	twin := k.inner["public"].Clone()
	twin.WrapSession, twin.UnwrapSession, twin.GetCertificate = nil, nil, nil
	for cert := range k.table.Load().shown {
		twin.Certificates = append(twin.Certificates, *cert)
	}
	return twin
}

// shake does one handshake, and one byte more so that the client has its ticket.
// It reports whether a session was resumed.
func shake(t testing.TB, server, client *tls.Config) bool {
	near, far := net.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := tls.Server(far, server).Write([]byte{'!'})
		done <- err
	}()
	conn := tls.Client(near, client)
	_, err := conn.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, <-done)
	near.Close()
	far.Close()
	return conn.ConnectionState().DidResume
}

// someSession returns a session as a server of TLS 1.3 wraps it.
func someSession(t testing.TB) (session *tls.SessionState, state tls.ConnectionState) {
	g := newGate(t)
	server := g.keeper.inner["public"].Clone()
	server.WrapSession = func(s tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		session, state = ss, s
		return []byte("ticket"), nil
	}
	client := g.client("track.example.com")
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	shake(t, server, client)
	return session, state
}
