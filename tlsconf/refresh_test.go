package tlsconf

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// shownFor returns the source and the serial number of what host gets.
func shownFor(k *Keeper, host string) (source, serial string) {
	h := k.table.Load().find(keyOf(host))[0]
	return h.source, h.cert.Leaf.SerialNumber.String()
}

func TestBadNewPairIsRefusedAndTheOldOneStays(t *testing.T) {
	now := time.Now()
	root := newRoot(t)
	good := order{hosts: track().Hosts}
	cert, key := root.sign(t, good)
	ended, endedKey := root.sign(t, order{hosts: good.hosts, from: now.Add(-2 * time.Hour), until: now.Add(-time.Hour)})
	later, laterKey := root.sign(t, order{hosts: good.hosts, from: now.Add(time.Hour)})
	other, otherKey := root.sign(t, order{hosts: []string{"other.example.com"}})
	fewer, fewerKey := root.sign(t, order{hosts: good.hosts[:1]})
	for _, test := range []struct {
		name      string
		cert, key []byte
		want      string
	}{
		{"ended", ended, endedKey, "it is valid from "},
		{"not yet valid", later, laterKey, "it is valid from "},
		{"for other names", other, otherKey, "it no longer covers t.example.com, track.example.com"},
		{"for fewer names", fewer, fewerKey, "it no longer covers t.example.com"},
		{"key of another", cert, endedKey, "they do not belong together"},
		{"half a certificate", cert[:len(cert)/2], key, "no PEM block CERTIFICATE"},
		{"half a key", cert, key[:len(key)/2], "they do not belong together"},
		{"empty", nil, nil, "no PEM block CERTIFICATE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			settings, l := internalCA(t.TempDir()), &log{} // which must not step in
			files := root.pair(t, t.TempDir(), "tls", good)
			settings.Files = []configs.KeyPair{files}
			k, err := New(settings, []configs.Listener{track()}, l.logger())
			require.NoError(t, err)
			source, serial := shownFor(k, "track.example.com")

			put(t, files.Certificate, test.cert)
			put(t, files.Key, test.key)
			k.refresh()
			k.refresh()

			nowSource, nowSerial := shownFor(k, "track.example.com")
			require.Equal(t, source, nowSource)
			require.Equal(t, serial, nowSerial)
			require.Equal(t, 1, strings.Count(l.String(), "the old one stays in use"), l.String())
			require.Contains(t, l.String(), test.want)
			require.Contains(t, l.String(), files.Certificate)
			require.NotContains(t, l.String(), "PRIVATE KEY")

			put(t, files.Certificate, cert)
			put(t, files.Key, key)
			k.refresh()
			_, repaired := shownFor(k, "track.example.com")
			require.NotEqual(t, serial, repaired)
		})
	}
}

func TestFilesThatVanishChangeNothing(t *testing.T) {
	g := newGate(t)
	files := g.keeper.pairs[0].files
	certPEM, err := os.ReadFile(files.Certificate)
	require.NoError(t, err)
	require.NoError(t, os.Remove(files.Certificate))
	g.keeper.refresh()
	require.Contains(t, g.log.String(), "no such file")
	g.ok(t, g.client("track.example.com"))

	put(t, files.Certificate, certPEM)
	g.keeper.refresh()
	g.ok(t, g.client("track.example.com"))
}

// Two certificates that trade their hosts are good together and bad alone; one
// of them may be written before the other is.
func TestHostsMayMoveBetweenPairs(t *testing.T) {
	root, folder := newRoot(t), t.TempDir()
	a, b := order{hosts: track().Hosts}, order{hosts: gui().Hosts}
	files := []configs.KeyPair{root.pair(t, folder, "a", a), root.pair(t, folder, "b", b)}
	k, err := New(configs.TLS{Files: files}, []configs.Listener{track(), gui()}, (&log{}).logger())
	require.NoError(t, err)

	root.pair(t, folder, "a", b)
	k.refresh()
	source, _ := shownFor(k, "track.example.com")
	require.Equal(t, files[0].Certificate, source, "half of the trade is none")
	root.pair(t, folder, "b", a)
	k.refresh()

	source, _ = shownFor(k, "track.example.com")
	require.Equal(t, files[1].Certificate, source)
	source, _ = shownFor(k, "gui.example.com")
	require.Equal(t, files[0].Certificate, source)
}

// One bad pair does not hold back another's renewal.
func TestGoodPairIsTakenBesideABadOne(t *testing.T) {
	root, folder := newRoot(t), t.TempDir()
	a, b := order{hosts: track().Hosts}, order{hosts: gui().Hosts}
	files := []configs.KeyPair{root.pair(t, folder, "a", a), root.pair(t, folder, "b", b)}
	k, err := New(configs.TLS{Files: files}, []configs.Listener{track(), gui()}, (&log{}).logger())
	require.NoError(t, err)
	_, bad := shownFor(k, "track.example.com")
	_, good := shownFor(k, "gui.example.com")

	root.pair(t, folder, "a", order{hosts: []string{"wrong.example.com"}})
	root.pair(t, folder, "b", b)
	k.refresh()

	_, serial := shownFor(k, "track.example.com")
	require.Equal(t, bad, serial)
	_, serial = shownFor(k, "gui.example.com")
	require.NotEqual(t, good, serial)
}
