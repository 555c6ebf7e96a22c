package tlsconf

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// ordered are settings by which an authority signs that nobody can reach.
func ordered(folder string) configs.TLS {
	return configs.TLS{Issuer: configs.IssuerACME, Storage: folder, ACME: configs.ACME{
		Email: "ops@example.com", Directory: "https://127.0.0.1:1/dir",
		Challenges: []configs.Challenge{configs.HTTP01, configs.TLSALPN01}, KeyType: configs.P256,
	}}
}

// listening is a listener with TLS and one that redirects.
func listening(hosts ...string) []configs.Listener {
	return []configs.Listener{
		{Name: "public", Kind: configs.Public, TLS: true, Address: "127.0.0.1:1443", Hosts: hosts},
		{Name: "plain", Kind: configs.Redirect, Address: "127.0.0.1:1080"},
	}
}

// deliver puts a certificate into the storage, as if an authority had signed it.
func (s signer) deliver(t testing.TB, settings configs.TLS, authority int, host string, o order) {
	t.Helper()
	o.hosts = []string{host}
	certPEM, keyPEM := s.sign(t, o)
	key := authoritiesOf(settings.ACME)[authority].key()
	b, err := openStorage(settings)
	require.NoError(t, err)
	require.NoError(t, b.Store(t.Context(), certmagic.StorageKeys.SitePrivateKey(key, host), keyPEM))
	require.NoError(t, b.Store(t.Context(), certmagic.StorageKeys.SiteCert(key, host), certPEM))
	require.NoError(t, b.Store(t.Context(), certmagic.StorageKeys.SiteMeta(key, host), []byte(`{}`)))
}

func TestAGateStartsWithoutCertificatesOfAuthorities(t *testing.T) {
	l, root, settings := &log{}, newRoot(t), ordered(t.TempDir())
	settings.Files = []configs.KeyPair{root.pair(t, t.TempDir(), "tls", order{hosts: []string{"file.example.com"}})}
	root.deliver(t, settings, 0, "kept.example.com", order{})
	k, err := New(settings, listening("file.example.com", "kept.example.com", "new.example.com"), l.logger())
	require.NoError(t, err)

	assert.Equal(t, []string{"new.example.com"}, k.Missing())
	assert.Equal(t, []string{"kept.example.com", "new.example.com"}, k.managed.hosts(), "files win for the hosts they cover")
	states := k.States()
	require.Len(t, states, 3)
	assert.Equal(t, settings.Files[0].Certificate, states[0].Source)
	assert.Zero(t, states[0].Renewal)
	assert.Equal(t, "acme: https://127.0.0.1:1/dir", states[1].Source)
	assert.Equal(t, "test root", states[1].Issuer)
	assert.InDelta(t, 60, states[1].DaysLeft, 1.1)
	assert.WithinDuration(t, time.Now().AddDate(0, 0, 40), states[1].Renewal, 48*time.Hour)
	assert.Equal(t, State{Host: "new.example.com"}, states[2])
}

// Who only looks leaves nothing behind, neither a folder nor a copy.
func TestExamineLeavesNoTrace(t *testing.T) {
	settings := ordered(filepath.Join(t.TempDir(), "none"))
	settings.Redis = configs.Redis{Address: "127.0.0.1:1", Prefix: "p"}
	k, err := Examine(settings, listening("a.example.com"))
	require.NoError(t, err)
	assert.Equal(t, []string{"a.example.com"}, k.Missing())
	assert.Nil(t, k.managed.copy)
	assert.NoDirExists(t, settings.Storage)
}

func TestTheNewestOfAllAuthoritiesIsShown(t *testing.T) {
	l, root, settings := &log{}, newRoot(t), ordered(t.TempDir())
	settings.ACME.Fallback = []configs.Authority{{Directory: configs.ZeroSSL}}
	root.deliver(t, settings, 0, "a.example.com", order{from: time.Now().Add(-48 * time.Hour)})
	root.deliver(t, settings, 1, "a.example.com", order{from: time.Now().Add(-2 * time.Hour)})
	k, err := New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	assert.Equal(t, "acme: zerossl", k.States()[0].Source)

	root.deliver(t, settings, 0, "a.example.com", order{from: time.Now().Add(-time.Minute)})
	k.take(t.Context(), []string{"a.example.com"})
	assert.Equal(t, "acme: https://127.0.0.1:1/dir", k.States()[0].Source)
}

func TestOnlyWhatIsNoWorseIsTaken(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	for name, row := range map[string]struct {
		from, until time.Time
		want        bool
	}{
		"renewed":             {now.Add(-time.Minute), now.AddDate(0, 0, 90), true},
		"in the same second":  {now.Add(-time.Hour), now.AddDate(0, 0, 60), true},
		"older":               {now.Add(-2 * time.Hour), now.AddDate(0, 0, 90), false},
		"not valid yet":       {now.Add(time.Hour), now.AddDate(0, 0, 90), false},
		"has ended meanwhile": {now.Add(-time.Minute), now.Add(-time.Second), false},
	} {
		root, settings := newRoot(t), ordered(t.TempDir())
		root.deliver(t, settings, 0, "a.example.com", order{from: now.Add(-time.Hour), until: now.AddDate(0, 0, 60)})
		k, err := New(settings, listening("a.example.com"), (&log{}).logger())
		require.NoError(t, err)
		_, before := shownFor(k, "a.example.com")
		root.deliver(t, settings, 0, "a.example.com", order{from: row.from, until: row.until})
		k.take(t.Context(), []string{"a.example.com"})
		_, after := shownFor(k, "a.example.com")
		assert.Equal(t, row.want, before != after, name)
	}
}

func TestWhatIsWrongInTheStorageIsNotShown(t *testing.T) {
	l, root, settings := &log{}, newRoot(t), ordered(t.TempDir())
	root.deliver(t, settings, 0, "a.example.com", order{})
	k, err := New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	bundle, _ := site(certmagic.StorageKeys.SiteCert(k.managed.authorities[0].key(), "a.example.com"))
	require.NoError(t, k.managed.storage.Storage.Store(t.Context(), bundle, []byte("garbage")))
	k.take(t.Context(), []string{"a.example.com"})
	assert.Empty(t, k.Missing(), "what was good stays")
	assert.Contains(t, l.String(), "cannot be read from the storage")

	k, err = New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err, "and it is no reason not to start")
	assert.Equal(t, []string{"a.example.com"}, k.Missing())
}

func TestACertificateOfAnotherHostIsNotShown(t *testing.T) {
	l, root, settings := &log{}, newRoot(t), ordered(t.TempDir())
	certPEM, keyPEM := root.sign(t, order{hosts: []string{"other.example.com"}})
	b, err := openStorage(settings)
	require.NoError(t, err)
	key := authoritiesOf(settings.ACME)[0].key()
	require.NoError(t, b.Store(t.Context(), certmagic.StorageKeys.SitePrivateKey(key, "a.example.com"), keyPEM))
	require.NoError(t, b.Store(t.Context(), certmagic.StorageKeys.SiteCert(key, "a.example.com"), certPEM))
	require.NoError(t, b.Store(t.Context(), certmagic.StorageKeys.SiteMeta(key, "a.example.com"), []byte(`{}`)))
	k, err := New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	assert.Equal(t, []string{"a.example.com"}, k.Missing())
	assert.Contains(t, l.String(), "it is for other.example.com")
}

func TestWhatNoAuthorityCouldSeeIsAMistake(t *testing.T) {
	settings := ordered(t.TempDir())
	_, err := New(settings, listening("*.example.com"), (&log{}).logger())
	require.ErrorContains(t, err, `host "*.example.com": authorities sign wildcards only with dns-01: set tls.acme.dns`)

	settings.ACME.Challenges = []configs.Challenge{configs.HTTP01}
	_, err = New(settings, listening("a.example.com")[:1], (&log{}).logger())
	require.ErrorContains(t, err, "tls.acme.challenges: no listener can answer them")

	settings.ACME.DNS = configs.ChallengeDNS{Provider: configs.Cloudflare, Cloudflare: configs.Token{APIToken: "t"}}
	k, err := New(settings, listening("*.example.com")[:1], (&log{}).logger())
	require.NoError(t, err)
	assert.Equal(t, []string{"*.example.com"}, k.Missing())

	file := t.TempDir() + "/file"
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	settings.Storage = file
	_, err = New(settings, listening("a.example.com"), (&log{}).logger())
	require.ErrorContains(t, err, "tls.storage "+file)
}

func TestAuthoritiesByName(t *testing.T) {
	known := authoritiesOf(configs.ACME{Directory: configs.LetsEncrypt, Fallback: []configs.Authority{
		{Directory: configs.ZeroSSL}, {Directory: configs.LetsEncryptStaging}, {Directory: "https://ca.example.com/dir"},
	}})
	require.Len(t, known, 4)
	assert.Equal(t, "https://acme-v02.api.letsencrypt.org/directory", known[0].directory)
	assert.Equal(t, "https://acme-staging-v02.api.letsencrypt.org/directory", known[0].staging, "where to try after a failure")
	assert.Equal(t, "https://acme.zerossl.com/v2/DV90", known[1].directory)
	assert.Equal(t, known[0].staging, known[2].directory)
	for _, a := range known[1:] {
		assert.Empty(t, a.staging)
	}
	assert.Equal(t, "ca.example.com-dir", known[3].key())
}

func TestDoors(t *testing.T) {
	both := []configs.Challenge{configs.HTTP01, configs.TLSALPN01}
	listeners := append(listening("a"), configs.Listener{Name: "open", Address: ":80"}, configs.Listener{Name: "more", TLS: true, Address: ":443"},
		configs.Listener{Name: "late", Kind: configs.Redirect, Address: ":8080"})
	assert.Equal(t, doors{":80", ":443"}, doorsOf(listeners, both))
	assert.Equal(t, doors{"127.0.0.1:1080", "127.0.0.1:1443"}, doorsOf(listeners[:2], both))
	assert.Equal(t, doors{":80", ""}, doorsOf(listeners, both[:1]))
	assert.Equal(t, doors{"", ":443"}, doorsOf(listeners, both[1:]))

	for d, want := range map[doors]certmagic.ACMEIssuer{
		{"10.0.0.1:80", "10.0.0.1:443"}: {ListenHost: "10.0.0.1", AltHTTPPort: 80, AltTLSALPNPort: 443},
		{"10.0.0.1:80", "10.0.0.2:443"}: {AltHTTPPort: 80, AltTLSALPNPort: 443},
		{"", "10.0.0.2:443"}:            {ListenHost: "10.0.0.2", AltTLSALPNPort: 443},
		{"10.0.0.1:80", ""}:             {ListenHost: "10.0.0.1", AltHTTPPort: 80},
	} {
		var got certmagic.ACMEIssuer
		d.point(&got)
		assert.Equal(t, want.ListenHost, got.ListenHost, "%+v", d)
		assert.Equal(t, want.AltHTTPPort, got.AltHTTPPort)
		assert.Equal(t, want.AltTLSALPNPort, got.AltTLSALPNPort)
	}
}

// An authority that comes while nothing is pending learns nothing, and has two seconds.
func TestNobodyIsToldWhatIsNotPending(t *testing.T) {
	l, settings := &log{}, ordered(t.TempDir())
	k, err := New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	g := serve(t, &gate{keeper: k, log: l, root: newRoot(t)}, listening("a.example.com")[:1])
	for _, host := range []string{"a.example.com", "other.example.com"} {
		assert.Nil(t, k.Challenge(host, "/.well-known/acme-challenge/token"))
		client := &tls.Config{ServerName: host, NextProtos: []string{ChallengeProtocol}, InsecureSkipVerify: true}
		_, end, err := g.visit(t, client)
		assert.ErrorContains(t, err, "unrecognized name")
		assert.Equal(t, resultUnknownName, HandshakeResult(end.err))
	}
}

// A file that ends while the gate runs is replaced by a certificate of the authority.
func TestHostsOfFilesThatHaveEndedAreOrdered(t *testing.T) {
	l, settings, now := &log{}, ordered(t.TempDir()), &clock{at: time.Now()}
	settings.Files = []configs.KeyPair{newRoot(t).pair(t, t.TempDir(), "tls", order{hosts: []string{"b.example.com"}, until: now.now().Add(time.Hour)})}
	k, err := newKeeper(settings, listening("a.example.com", "b.example.com"), l.logger(), now.now)
	require.NoError(t, err)
	k.managed.adviser = noAdvice()
	ctx, end := context.WithCancel(t.Context())
	stop := k.managed.start(ctx, usualPace())
	defer func() {
		end()
		stop()
	}()
	k.lookAround(ctx)
	assert.Equal(t, []string{"a.example.com"}, k.managed.hosts())
	now.forward(2 * time.Hour)
	k.lookAround(ctx)
	assert.Equal(t, []string{"a.example.com", "b.example.com"}, k.managed.hosts())
	assert.Contains(t, l.String(), "files cover these hosts no longer")
	for _, host := range k.managed.hosts() {
		require.Eventually(t, func() bool { return k.managed.lastOrder(host).Failures == 1 }, 10*time.Second, time.Millisecond, "both are ordered")
	}
}
