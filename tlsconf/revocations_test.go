package tlsconf

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRevokedCertificatesAreRefused(t *testing.T) {
	g := newGuarded(t, required(), list{serials: []int64{7, 9}})
	eachVersion(t, func(t *testing.T, version uint16) {
		g.ok(t, g.shows(version, g.ca.clientOf(t, wanted{serial: 8})))
		g.turnedAway(t, g.shows(version, g.ca.clientOf(t, wanted{serial: 9})), "bad certificate", "client_certificate_revoked")
	})
}

// Whoever signs has to have a list: what an intermediate signed may be revoked, and
// nobody here would know.
func TestACertificateWithoutAListIsRefused(t *testing.T) {
	g := newGuarded(t, required(), list{})
	between := g.ca.intermediate(t)
	below := g.shows(0, g.ca.clientOf(t, wanted{chain: []signer{between}, serial: 7}))
	g.turnedAway(t, below, "bad certificate", "client_certificate_unchecked")

	put(t, g.files.CA, append(certificatePEM(g.ca.cert), certificatePEM(between.cert)...))
	both := append(g.ca.revoke(t, list{}), between.revoke(t, list{})...)
	put(t, g.files.CRL, both)
	g.keeper.refresh()
	g.ok(t, below)

	put(t, g.files.CRL, append(g.ca.revoke(t, list{}), between.revoke(t, list{serials: []int64{7}})...))
	g.keeper.refresh()
	g.turnedAway(t, below, "bad certificate", "client_certificate_revoked")
}

func TestAnIntermediateThatIsRevokedTakesItsClientsAlong(t *testing.T) {
	g := newGuarded(t, required(), list{})
	between := g.ca.intermediate(t)
	put(t, g.files.CRL, g.ca.revoke(t, list{certs: []signer{between}}))
	g.keeper.refresh()
	below := g.shows(0, g.ca.clientOf(t, wanted{chain: []signer{between}}))
	// Its own list is missing as well, but this is known.
	g.turnedAway(t, below, "bad certificate", "client_certificate_revoked")

	put(t, g.files.CA, append(certificatePEM(g.ca.cert), certificatePEM(between.cert)...))
	put(t, g.files.CRL, append(between.revoke(t, list{}), g.ca.revoke(t, list{certs: []signer{between}})...))
	g.keeper.refresh()
	g.turnedAway(t, below, "bad certificate", "client_certificate_revoked")
}

// Who signs for clients may stand in the CA file itself, and what is there is the end of a
// chain: that the CA above has revoked it counts all the same, whether its client shows
// it or leaves it out, and after that list has ended.
func TestARevokedCAOfTheFileLetsNobodyIn(t *testing.T) {
	for name, certificates := range map[string]int{"shown": 2, "left out": 1} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, required(), list{})
			between := g.ca.intermediate(t)
			cert := g.ca.clientOf(t, wanted{chain: []signer{between}})
			cert.Certificate = cert.Certificate[:certificates]
			put(t, g.files.CA, append(certificatePEM(g.ca.cert), certificatePEM(between.cert)...))
			put(t, g.files.CRL, append(between.revoke(t, list{}), g.ca.revoke(t, list{})...))
			g.keeper.refresh()
			g.ok(t, g.shows(0, cert))

			above := g.ca.revoke(t, list{certs: []signer{between}, until: time.Now().Add(time.Hour)})
			put(t, g.files.CRL, append(between.revoke(t, list{}), above...))
			g.keeper.refresh()
			g.turnedAway(t, g.shows(0, cert), "bad certificate", "client_certificate_revoked")
			g.clock.forward(2 * time.Hour)
			g.turnedAway(t, g.shows(0, cert), "bad certificate", "client_certificate_revoked")
		})
	}
}

func TestListsThatCannotBeReliedOnLetNobodyIn(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, g *guarded){
		"past its next update": func(t *testing.T, g *guarded) { g.clock.forward(2 * time.Hour) },
		"not begun": func(t *testing.T, g *guarded) {
			put(t, g.files.CRL, g.ca.revoke(t, list{from: time.Now().Add(time.Hour)}))
		},
		"broken":        func(t *testing.T, g *guarded) { put(t, g.files.CRL, []byte("junk")) },
		"empty":         func(t *testing.T, g *guarded) { put(t, g.files.CRL, nil) },
		"gone":          func(t *testing.T, g *guarded) { require.NoError(t, os.Remove(g.files.CRL)) },
		"of another CA": func(t *testing.T, g *guarded) { put(t, g.files.CRL, newRoot(t).revoke(t, list{})) },
		"one of another CA": func(t *testing.T, g *guarded) {
			put(t, g.files.CRL, append(g.ca.revoke(t, list{}), newRoot(t).revoke(t, list{})...))
		},
		"a part of a list": func(t *testing.T, g *guarded) { put(t, g.files.CRL, g.ca.revoke(t, list{critical: true})) },
		"a part of a list that does not stress it": func(t *testing.T, g *guarded) {
			put(t, g.files.CRL, g.ca.revoke(t, list{partial: true}))
		},
		"one that is written half": func(t *testing.T, g *guarded) {
			next := g.ca.revoke(t, list{})
			put(t, g.files.CRL, append(g.ca.revoke(t, list{}), next[:len(next)-10]...))
		},
		"two in DER": func(t *testing.T, g *guarded) {
			der, _ := pem.Decode(g.ca.revoke(t, list{}))
			put(t, g.files.CRL, append(der.Bytes, der.Bytes...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, required(), list{until: time.Now().Add(time.Hour)})
			cert := g.ca.clientOf(t, wanted{from: time.Now().Add(-5 * time.Hour)})
			g.ok(t, g.shows(0, cert))

			spoil(t, g)
			g.keeper.refresh()
			g.keeper.refresh()

			g.turnedAway(t, g.shows(0, cert), "bad certificate", "client_certificate_unchecked")
			require.Equal(t, 1, strings.Count(g.log.String(), "certificates are refused"), g.log.String())

			put(t, g.files.CRL, g.ca.revoke(t, list{}))
			g.clock.forward(time.Until(g.clock.now())) // to the present
			g.keeper.refresh()
			g.ok(t, g.shows(0, cert))
			require.Equal(t, 1, strings.Count(g.log.String(), "are good again"), g.log.String())
		})
	}
}

func TestOfTwoListsOfACATheLaterOneCounts(t *testing.T) {
	ca := newRoot(t)
	early, err := parseLists(ca.revoke(t, list{serials: []int64{7}}))
	require.NoError(t, err)
	late, err := parseLists(ca.revoke(t, list{}))
	require.NoError(t, err)
	early[0].ThisUpdate = early[0].ThisUpdate.Add(-time.Minute)
	for _, lists := range []listFile{{lists: append(early, late...)}, {lists: append(late, early...)}} {
		r := newRevocations(lists, []*x509.Certificate{ca.cert})
		require.Empty(t, r.byIssuer[string(ca.cert.Raw)].serials)
	}
}

// Lists come from files that others write: nothing in them may panic, and what is
// taken is whole.
func FuzzLists(f *testing.F) {
	ca := newRoot(f)
	good := ca.revoke(f, list{serials: []int64{1}})
	block, _ := pem.Decode(good)
	f.Add(good)
	f.Add(block.Bytes)
	f.Add(append(good, good...))
	f.Add(ca.revoke(f, list{critical: true}))
	f.Add([]byte("-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		lists, err := parseLists(text)
		if err == nil && len(lists) == 0 {
			t.Error("no list is no good file")
		}
		for _, l := range lists {
			if l.NextUpdate.IsZero() || demandPlain(l) != nil {
				t.Error("a list that says less than it should")
			}
		}
	})
}
