package tlsconf

import (
	"crypto/tls"
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func internalFor(folder string) configs.TLS {
	return configs.TLS{Issuer: configs.IssuerInternal, Storage: folder, MinVersion: "1.2", HybridKeyExchange: true}
}

func TestAKeeperStaysWhereNothingConcernsIt(t *testing.T) {
	settings, listeners := internalFor(t.TempDir()), listening("a.example.com")
	k, err := New(settings, listeners, (&log{}).logger())
	require.NoError(t, err)
	other := listening("a.example.com")
	other[0].Pool, other[0].HSTS = "another", 1
	same, err := k.Next(settings, other)
	require.NoError(t, err)
	assert.Same(t, k, same)

	for name, change := range map[string]func(*configs.TLS, []configs.Listener){
		"hosts":       func(_ *configs.TLS, l []configs.Listener) { l[0].Hosts = []string{"a.example.com", "b.example.com"} },
		"protocols":   func(_ *configs.TLS, l []configs.Listener) { l[0].HTTP2 = !l[0].HTTP2 },
		"the doors":   func(_ *configs.TLS, l []configs.Listener) { l[1].Address = "127.0.0.1:1081" },
		"the storage": func(s *configs.TLS, _ []configs.Listener) { s.Storage = t.TempDir() },
	} {
		settings, listeners := settings, listening("a.example.com")
		change(&settings, listeners)
		next, err := k.Next(settings, listeners)
		require.NoError(t, err)
		assert.NotSame(t, k, next, name)
		next.Discard()
	}
}

func TestVisitorsResumeAfterAChange(t *testing.T) {
	settings, listeners := internalFor(t.TempDir()), listening("a.example.com", "b.example.com")
	l := &log{}
	k, err := New(settings, listeners, l.logger())
	require.NoError(t, err)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{ServerName: "a.example.com", InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1), MaxVersion: version}
		old := serve(t, &gate{keeper: k, log: l}, listeners[:1])
		assert.False(t, old.ok(t, client).DidResume)
		changed := listening("a.example.com", "c.example.com")
		next, err := k.Next(settings, changed)
		require.NoError(t, err)
		g := serve(t, &gate{keeper: next, log: l}, changed[:1])
		assert.True(t, g.ok(t, client).DidResume)
	}
}

func TestVisitorsResumeInAnotherProcess(t *testing.T) {
	settings, listeners := internalFor(t.TempDir()), listening("a.example.com", "b.example.com")
	l := &log{}
	k, err := New(settings, listeners, l.logger())
	require.NoError(t, err)
	k.rotate()
	client := &tls.Config{ServerName: "a.example.com", InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	serve(t, &gate{keeper: k, log: l}, listeners[:1]).ok(t, client)
	text, err := json.Marshal(k.Legacy())
	require.NoError(t, err)

	again, err := New(settings, listeners, l.logger())
	require.NoError(t, err)
	var left Legacy
	require.NoError(t, json.Unmarshal(text, &left))
	again.Inherit(left)
	again.rotate() // what was current opens still
	assert.True(t, serve(t, &gate{keeper: again, log: l}, listeners[:1]).ok(t, client).DidResume)
	again.rotate()
	again.rotate()
	assert.False(t, serve(t, &gate{keeper: again, log: l}, listeners[:1]).ok(t, client).DidResume)
}

// However often settings or processes change: a key is no longer in use for that.
func TestKeysGrowOldAcrossChanges(t *testing.T) {
	settings := internalFor(t.TempDir())
	k, err := New(settings, listening("a.example.com"), (&log{}).logger())
	require.NoError(t, err)
	k.keyedSince(time.Now().Add(-5 * time.Hour))
	next, err := k.Next(settings, listening("a.example.com", "b.example.com"))
	require.NoError(t, err)
	assert.InDelta(t, 5, next.keyAge().Hours(), 0.1)
	keys := next.tickets[0].keys.Load()
	p := still()
	p.rotate = 4 * time.Hour
	running(t, next, p)
	require.Eventually(t, func() bool { return next.tickets[0].keys.Load() != keys }, 5*time.Second, time.Millisecond)
	assert.Less(t, next.keyAge(), time.Minute)
}

func TestAKeeperThatCannotBeMadeChangesNothing(t *testing.T) {
	settings := internalFor(t.TempDir())
	k, err := New(settings, listening("a.example.com"), (&log{}).logger())
	require.NoError(t, err)
	settings.Files = []configs.KeyPair{{Certificate: filepath.Join(t.TempDir(), "gone.crt"), Key: "gone.key"}}
	_, err = k.Next(settings, listening("a.example.com"))
	require.ErrorContains(t, err, "gone.crt")
	assert.Empty(t, k.Missing())
}
