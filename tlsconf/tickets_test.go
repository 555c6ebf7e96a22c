package tlsconf

import (
	"crypto/tls"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// oneSession is a client's cache that offers its one session under every name, as
// no honest client would.
type oneSession struct{ session *tls.ClientSessionState }

func (o *oneSession) Get(string) (*tls.ClientSessionState, bool) {
	return o.session, o.session != nil
}

func (o *oneSession) Put(_ string, session *tls.ClientSessionState) { o.session = session }

// returning is a client that has a session from a visit under name.
func returning(t *testing.T, g *gate, name string, version uint16) *tls.Config {
	client := g.client(name)
	client.MaxVersion, client.ClientSessionCache = version, &oneSession{}
	require.False(t, g.ok(t, client).DidResume)
	return client
}

func eachVersion(t *testing.T, test func(t *testing.T, version uint16)) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { test(t, version) })
	}
}

func TestSessionIsResumed(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGate(t)
		client := returning(t, g, "track.example.com", version)
		require.True(t, g.ok(t, client).DidResume)
		require.True(t, g.ok(t, client).DidResume, "with the ticket of a resumed session")
	})
}

func TestTicketOfAnotherListenerIsWorthless(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGate(t)
		client := returning(t, g, "track.example.com", version)
		client.ServerName = "gui.example.com"
		require.False(t, g.ok(t, client).DidResume)

		client = returning(t, g, "gui.example.com", version)
		client.ServerName = "track.example.com"
		require.False(t, g.ok(t, client).DidResume)
	})
}

func TestTicketOfAnotherNameOfTheListenerIsWorthless(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGate(t)
		client := returning(t, g, "track.example.com", version)
		client.ServerName = "t.example.com"
		require.False(t, g.ok(t, client).DidResume)
	})
}

func TestTicketIsWorthlessAfterRestart(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGate(t)
		client := returning(t, g, "track.example.com", version)
		settings := configs.TLS{Files: []configs.KeyPair{g.keeper.pairs[0].files}}
		again, err := New(settings, g.keeper.listeners, (&log{}).logger())
		require.NoError(t, err)
		g = serve(t, &gate{keeper: again, root: g.root}, again.listeners)
		require.False(t, g.ok(t, client).DidResume)
	})
}

func TestTicketOutlivesOneRotationAndNotTwo(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGate(t)
		client := returning(t, g, "track.example.com", version)
		kept := client.ClientSessionCache.(*oneSession).session

		g.keeper.rotate()
		require.True(t, g.ok(t, client).DidResume)

		g.keeper.rotate()
		client.ClientSessionCache = &oneSession{session: kept}
		require.False(t, g.ok(t, client).DidResume)
	})
}

func TestTicketDoesNotShowItsName(t *testing.T) {
	session, state := someSession(t)
	state.ServerName = "track.example.com"
	ticket, err := newTickets().wrap(state, session)
	require.NoError(t, err)
	require.NotContains(t, string(ticket), "example")
}

// No bytes that a client makes up may become a session, nor end the handshake.
func FuzzTicket(f *testing.F) {
	session, state := someSession(f)
	tickets := newTickets()
	ticket, err := tickets.wrap(state, session)
	require.NoError(f, err)
	tickets.rotate()
	f.Add([]byte{}, "track.example.com")
	f.Add(ticket, "other.example.com")
	f.Add(ticket[:len(ticket)-1], "track.example.com")
	f.Add(append([]byte{0}, ticket...), "track.example.com")
	f.Fuzz(func(t *testing.T, made []byte, name string) {
		opened, err := tickets.unwrap(made, tls.ConnectionState{ServerName: name})
		if err != nil {
			t.Errorf("the handshake ends with %v", err)
		}
		if genuine := string(made) == string(ticket) && name == state.ServerName; (opened != nil) != genuine {
			t.Errorf("opened: %v, genuine: %v", opened != nil, genuine)
		}
	})
}
