package tlsconf

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// comesBack is a client with a certificate and a session that was good at this moment.
func (g *guarded) comesBack(t *testing.T, version uint16, cert *tls.Certificate) *tls.Config {
	client := g.shows(version, cert)
	client.ClientSessionCache = &oneSession{}
	require.False(t, g.ok(t, client).DidResume)
	require.True(t, g.ok(t, client).DidResume, "or the test shows nothing")
	return client
}

// A session of before says nothing about the rules of now (CVE-2025-68121).
func TestTicketsEndWithTheRules(t *testing.T) {
	for name, test := range map[string]struct {
		change func(t *testing.T, g *guarded)
		result string // "": a full handshake lets the client in
	}{
		"another CA": {func(t *testing.T, g *guarded) {
			put(t, g.files.CA, certificatePEM(newRoot(t).cert))
			put(t, g.files.CRL, g.ca.revoke(t, list{}))
		}, "client_certificate_untrusted"},
		"one CA more": {func(t *testing.T, g *guarded) {
			put(t, g.files.CA, append(certificatePEM(g.ca.cert), certificatePEM(newRoot(t).cert)...))
		}, ""},
		"revoked": {func(t *testing.T, g *guarded) {
			put(t, g.files.CRL, g.ca.revoke(t, list{serials: []int64{7}}))
		}, "client_certificate_revoked"},
		"another list": {func(t *testing.T, g *guarded) {
			put(t, g.files.CRL, g.ca.revoke(t, list{serials: []int64{8}}))
		}, ""},
		"no list in force": {func(t *testing.T, g *guarded) { g.clock.forward(8 * 24 * time.Hour) }, "client_certificate_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, version uint16) {
				g := newGuarded(t, required(), list{})
				client := g.comesBack(t, version, g.ca.clientOf(t, wanted{serial: 7, until: time.Now().AddDate(0, 0, 6)}))

				test.change(t, g)
				g.keeper.refresh()

				if test.result == "" {
					require.False(t, g.ok(t, client).DidResume)
					return
				}
				g.turnedAway(t, client, "", test.result)
			})
		})
	}
}

// No file changes here: the list ends while the gate looks at nothing.
func TestTicketsDoNotOutliveTheList(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGuarded(t, required(), list{until: time.Now().Add(time.Hour)})
		client := g.comesBack(t, version, g.ca.clientOf(t, wanted{}))
		g.clock.forward(2 * time.Hour)
		g.turnedAway(t, client, "bad certificate", "client_certificate_unchecked")
	})
}

func TestTicketsDoNotOutliveTheCertificate(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGuarded(t, required())
		client := g.comesBack(t, version, g.ca.clientOf(t, wanted{until: time.Now().Add(time.Hour)}))
		g.clock.forward(2 * time.Hour)
		g.turnedAway(t, client, "bad certificate", "client_certificate_expired")
	})
}

// Names change by new settings, which make a new Keeper.
func TestTicketsEndWithTheNames(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGuarded(t, required())
		client := g.comesBack(t, version, g.ca.clientOf(t, wanted{}))
		shut := g.all[0]
		shut.ClientCertificates.Names = []string{"a.example.com"}
		all := []configs.Listener{shut, gui()}
		k, err := New(g.keys, all, g.log.logger())
		require.NoError(t, err)
		g.gate = serve(t, &gate{keeper: k, log: g.log, root: g.root}, all)
		g.turnedAway(t, client, "bad certificate", "client_certificate_name")
	})
}

// A handshake that began under the old rules may end well, but the ticket that comes of
// it is worth nothing.
func TestTicketOfAHandshakeUnderWayIsWorthless(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newGuarded(t, required(), list{})
		client := g.shows(version, g.ca.clientOf(t, wanted{serial: 7}))
		client.ClientSessionCache = &oneSession{}
		raw, err := net.Dial("tcp", g.addr)
		require.NoError(t, err)
		shown := client.GetClientCertificate
		client.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			put(t, g.files.CRL, g.ca.revoke(t, list{serials: []int64{9}}))
			g.keeper.refresh()
			return shown(r)
		}
		conn := tls.Client(raw, client)
		defer conn.Close()
		_, err = conn.Write([]byte{'?'})
		require.NoError(t, err)
		_, err = conn.Read(make([]byte, 1))
		require.NoError(t, err)
		require.NoError(t, (<-g.ends).err)
		require.NotNil(t, client.ClientSessionCache.(*oneSession).session)

		client.GetClientCertificate = shown
		require.False(t, g.ok(t, client).DidResume)
	})
}

// A client can keep its handshake waiting until its time is up: by then the rules of now count.
func TestAHandshakeUnderWayEndsUnderTheRulesOfNow(t *testing.T) {
	for result, change := range map[string]func(t *testing.T, g *guarded){
		"client_certificate_revoked": func(t *testing.T, g *guarded) {
			put(t, g.files.CRL, g.ca.revoke(t, list{serials: []int64{7}}))
		},
		"client_certificate_untrusted": func(t *testing.T, g *guarded) {
			next := newRoot(t)
			put(t, g.files.CA, certificatePEM(next.cert))
			put(t, g.files.CRL, next.revoke(t, list{}))
		},
	} {
		t.Run(result, func(t *testing.T) {
			eachVersion(t, func(t *testing.T, version uint16) {
				g := newGuarded(t, required(), list{})
				cert := g.ca.clientOf(t, wanted{serial: 7})
				client := g.shows(version, cert)
				g.ok(t, client)
				client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					change(t, g)
					g.keeper.refresh()
					return cert, nil
				}
				g.turnedAway(t, client, "bad certificate", result)
			})
		})
	}
}

func TestTicketsOfGuardedListenersRotate(t *testing.T) {
	g := newGuarded(t, required())
	client := g.comesBack(t, tls.VersionTLS13, g.ca.clientOf(t, wanted{}))
	kept := client.ClientSessionCache.(*oneSession).session
	g.keeper.rotate()
	require.True(t, g.ok(t, client).DidResume)
	g.keeper.rotate()
	client.ClientSessionCache = &oneSession{session: kept}
	require.False(t, g.ok(t, client).DidResume)
}

// What is shared changes by the clock; the keys of a guard are its own, and change all the
// same.
func TestKeysOfAGuardChangeWhereOthersAreShared(t *testing.T) {
	k := &Keeper{sharing: &sharing{}, tickets: []*tickets{newTickets()}, guards: map[string]*guard{"gui": {tickets: newTickets()}}}
	shared, own := k.tickets[0].keys.Load(), k.guards["gui"].tickets.keys.Load()
	k.rotate()
	require.Same(t, shared, k.tickets[0].keys.Load())
	require.NotSame(t, own, k.guards["gui"].tickets.keys.Load())
}
