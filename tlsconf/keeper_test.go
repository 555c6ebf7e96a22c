package tlsconf

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestNoTLSNeedsNothing(t *testing.T) {
	plain := configs.Listener{Name: "plain", Kind: configs.Redirect}
	k, err := New(configs.TLS{Issuer: configs.IssuerInternal, Storage: "/proc/x"}, []configs.Listener{plain}, zerolog.Nop())
	require.NoError(t, err)
	require.Empty(t, k.Certificates())
	require.Empty(t, k.CAFile())
}

func TestAllMistakesAtOnce(t *testing.T) {
	root, folder := newRoot(t), t.TempDir()
	good := root.pair(t, folder, "good", order{hosts: []string{"track.example.com"}})
	mixed := configs.KeyPair{Certificate: good.Certificate, Key: root.pair(t, folder, "mixed", order{}).Key}
	missing := configs.KeyPair{Certificate: filepath.Join(folder, "no.crt"), Key: good.Key}
	settings := configs.TLS{Files: []configs.KeyPair{good, mixed, missing}, MinVersion: "1.1"}

	_, err := New(settings, []configs.Listener{track(), gui()}, zerolog.Nop())

	require.ErrorContains(t, err, `tls.min_version: "1.1" is not 1.2 or 1.3`)
	require.ErrorContains(t, err, "tls.files: certificate "+good.Certificate+", key "+mixed.Key+": they do not belong together")
	require.ErrorContains(t, err, "tls.files: certificate "+missing.Certificate+": no such file")
	require.ErrorContains(t, err, `listener "public": no certificate covers the host "t.example.com": add a pair that does to tls.files, or set tls.issuer to acme or internal`)
	require.ErrorContains(t, err, `listener "gui": no certificate covers the host "gui.example.com"`)
	require.NotContains(t, err.Error(), `the host "track.example.com"`)
	uncovered, ok := errors.AsType[*UncoveredError](err)
	require.True(t, ok)
	require.Equal(t, UncoveredError{Listener: "public", Host: "t.example.com"}, *uncovered)
}

func TestIssuers(t *testing.T) {
	for issuer, want := range map[configs.Issuer]string{
		configs.IssuerNone: "no certificate covers the host",
		"":                 "no certificate covers the host",
		"other":            `tls.issuer: "other" is not acme, internal or none`,
	} {
		_, err := New(configs.TLS{Issuer: issuer, Storage: t.TempDir()}, []configs.Listener{track()}, zerolog.Nop())
		require.ErrorContains(t, err, want)
	}
}

func TestCover(t *testing.T) {
	for _, test := range []struct {
		certificate []string
		host        string
		covered     bool
	}{
		{[]string{"a.example.com"}, "a.example.com", true},
		{[]string{"*.example.com"}, "a.example.com", true},
		{[]string{"*.example.com"}, "*.example.com", true},
		{[]string{"*.example.com"}, "example.com", false},
		{[]string{"*.example.com"}, "a.b.example.com", false},
		{[]string{"a.example.com"}, "*.example.com", false},
		{[]string{"192.0.2.1"}, "192.0.2.1", true},
		{[]string{"2001:db8::1"}, "2001:db8::1", true},
		{[]string{"192.0.2.1"}, "192.0.2.2", false},
	} {
		files := newRoot(t).pair(t, t.TempDir(), "tls", order{hosts: test.certificate})
		one := configs.Listener{Name: "one", TLS: true, Hosts: []string{test.host}}
		_, err := New(configs.TLS{Files: []configs.KeyPair{files}}, []configs.Listener{one}, zerolog.Nop())
		require.Equal(t, test.covered, err == nil, "%v for %s: %v", test.certificate, test.host, err)
	}
}

func TestCertificatesTellWhatIsShown(t *testing.T) {
	root, folder, until := newRoot(t), t.TempDir(), time.Now().AddDate(0, 2, 0)
	files := root.pair(t, folder, "tls", order{hosts: []string{"*.example.com"}, until: until})
	older := root.pair(t, folder, "older", order{hosts: []string{"gui.example.com"}, until: until.AddDate(0, -1, 0)})
	k, err := New(configs.TLS{Files: []configs.KeyPair{older, files}}, []configs.Listener{track(), gui()}, zerolog.Nop())
	require.NoError(t, err)

	shown := k.Certificates()

	require.Len(t, shown, 1, "the one that lasts longest")
	require.Equal(t, []string{"gui.example.com", "t.example.com", "track.example.com"}, shown[0].Hosts)
	require.Equal(t, "test root", shown[0].Issuer)
	require.Equal(t, files.Certificate, shown[0].Source)
	require.WithinDuration(t, until, shown[0].NotAfter, time.Second)
	require.True(t, shown[0].NotBefore.Before(time.Now()))
}

func TestExpiryIsLogged(t *testing.T) {
	day := 24 * time.Hour
	for _, test := range []struct {
		name        string
		from, until time.Duration
		level, want string
	}{
		{"long to go", -60 * day, 31 * day, "", ""},
		{"ends soon", -60 * day, 29 * day, "warn", "certificate ends soon"},
		{"ended", -2 * day, -day, "error", "certificate is not valid now"},
		{"begins later", day, 60 * day, "error", "certificate is not valid now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, now := &log{}, time.Now()
			files := newRoot(t).pair(t, t.TempDir(), "tls", order{hosts: track().Hosts, from: now.Add(test.from), until: now.Add(test.until)})
			_, err := New(configs.TLS{Files: []configs.KeyPair{files}}, []configs.Listener{track()}, l.logger())
			require.NoError(t, err, "a wrong clock or a late renewal must not keep the gate from starting")
			if test.want == "" {
				require.Empty(t, l.String())
				return
			}
			require.Contains(t, l.String(), test.want)
			require.Contains(t, l.String(), `"level":"`+test.level+`"`)
			require.Contains(t, l.String(), files.Certificate)
		})
	}
}

func TestExpiryIsLoggedOnceADay(t *testing.T) {
	l, now := &log{}, &clock{at: time.Now()}
	files := newRoot(t).pair(t, t.TempDir(), "tls", order{hosts: track().Hosts, until: now.at.AddDate(0, 0, 25)})
	k, err := newKeeper(configs.TLS{Files: []configs.KeyPair{files}}, []configs.Listener{track()}, l.logger(), now.now)
	require.NoError(t, err)
	k.tend()
	require.Empty(t, l.String())
	now.forward(17 * 24 * time.Hour) // a third of 25 days is left
	k.tend()
	require.Contains(t, l.String(), "certificate ends soon")
	first := l.String()
	now.forward(time.Hour)
	k.tend()
	require.Equal(t, first, l.String())
}

func TestUselessPairIsToldOf(t *testing.T) {
	l, root, folder := &log{}, newRoot(t), t.TempDir()
	good := root.pair(t, folder, "good", order{hosts: track().Hosts})
	typo := root.pair(t, folder, "typo", order{hosts: []string{"trakc.example.com"}})
	_, err := New(configs.TLS{Files: []configs.KeyPair{good, typo}}, []configs.Listener{track()}, l.logger())
	require.NoError(t, err)
	require.Contains(t, l.String(), `"certificate":"`+typo.Certificate+`","covers":["trakc.example.com"]`)
	require.NotContains(t, l.String(), good.Certificate)
}

// What a file no longer covers in time, the internal CA does.
func TestInternalCATakesOverFromAnEndedFile(t *testing.T) {
	now, settings := &clock{at: time.Now()}, internalCA(t.TempDir())
	settings.Files = []configs.KeyPair{newRoot(t).pair(t, t.TempDir(), "tls", order{hosts: []string{"gui.example.com"}})}
	k, err := newKeeper(settings, []configs.Listener{gui()}, zerolog.Nop(), now.now)
	require.NoError(t, err)
	require.Equal(t, settings.Files[0].Certificate, k.Certificates()[0].Source)

	now.forward(61 * 24 * time.Hour)
	k.tend()

	require.Equal(t, "internal", k.Certificates()[0].Source)
	require.NotEmpty(t, k.CAFile())
}
