package configs_test

import (
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// plain is a file without TLS that the tests add to.
const plain = `listeners:
  - name: public
    kind: public
    address: ":80"
    hosts: [track.example.com]
    tls: off
    pool: collectors
pools:
  - {name: collectors, backends: ["http://10.0.0.11:8686"]}
`

// parsed returns settings that have to be right.
func parsed(t *testing.T, yaml string, env ...string) *configs.Settings {
	t.Helper()
	settings, err := configs.Parse("trackgate.yaml", []byte(yaml), env)
	require.NoError(t, err)
	return settings
}

// refused returns the mistakes of settings that have to be wrong.
func refused(t *testing.T, yaml string, env ...string) string {
	t.Helper()
	_, err := configs.Parse("trackgate.yaml", []byte(yaml), env)
	require.Error(t, err)
	require.IsType(t, configs.Mistakes{}, err)
	return err.Error()
}

func TestTenLinesAreEnough(t *testing.T) {
	settings, err := configs.Load("minimal.yaml", nil)

	require.NoError(t, err)
	wanted := configs.Defaults()
	wanted.TLS.Issuer = configs.IssuerInternal
	l, p := &wanted.Listeners[0], &wanted.Pools[0]
	l.Name, l.Address, l.Hosts, l.Pool = "public", ":8443", []string{"localhost"}, "collectors"
	l.MinVersion = wanted.TLS.MinVersion
	p.Name = "collectors"
	for _, host := range []string{"10.0.0.11", "10.0.0.12", "10.0.0.13"} {
		p.Backends = append(p.Backends, configs.Backend{Scheme: "http", Host: host, Port: 8686, Weight: 1})
	}
	require.Equal(t, &wanted, settings)
}

func TestWhatIsSetForAuthoritiesArrives(t *testing.T) {
	settings, err := configs.Load("testdata/good/acme.yaml", []string{"MAC=aGFsbG8"})

	require.NoError(t, err)
	acme := settings.TLS.ACME
	require.Equal(t, configs.ACME{
		Email: "ops@example.com", Directory: "https://ca.example.com/dir", Profile: "shortlived", PreferredChain: "Root X2",
		CA: "testdata/good/acme.yaml", EAB: configs.EAB{KeyID: "k", HMACKey: "aGFsbG8"},
		Fallback:   []configs.Authority{{Directory: configs.LetsEncryptStaging}, {Directory: configs.ZeroSSL, EAB: configs.EAB{KeyID: "z", HMACKey: "aGFsbG8"}}},
		Challenges: []configs.Challenge{configs.TLSALPN01}, KeyType: configs.RSA2048,
		DNS: configs.ChallengeDNS{
			Provider: configs.RFC2136, Resolvers: []string{"10.0.0.3:53", "10.0.0.4:5353"}, Propagation: 10 * time.Second,
			RFC2136: configs.Updates{Server: "10.0.0.2:53", KeyName: "gate.", KeyAlgorithm: "hmac-sha512", Key: "aGFsbG8="},
		},
	}, acme)
	require.Equal(t, configs.Redis{
		Address: "redis.internal:6379", Prefix: "edge", Username: "gate", Password: "aGFsbG8", Database: 3, TLS: true,
		CA: "testdata/good/acme.yaml", ServerName: "redis.example.com", EncryptionKey: "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
	}, settings.TLS.Redis)
	require.Equal(t, "0123456789abcdef0123456789abcdef", string(settings.TLS.Redis.Key()))
	require.Equal(t, configs.Authority{
		Directory: acme.Directory, Profile: acme.Profile, PreferredChain: acme.PreferredChain, CA: acme.CA, EAB: acme.EAB,
	}, acme.Authorities()[0])
	require.Equal(t, acme.Fallback, acme.Authorities()[1:])
}

// Five lines are enough, and all that is needed of a new user.
func TestAnAddressIsEnoughForCertificates(t *testing.T) {
	settings, err := configs.Parse("t.yaml", []byte(`
listeners: [{name: public, kind: public, address: ":443", hosts: [track.example.com], pool: p}]
pools: [{name: p, backends: ["http://10.0.0.11:8686"]}]
tls: {issuer: acme, acme: {email: ops@example.com}}
`), nil)

	require.NoError(t, err)
	want := configs.Defaults().TLS.ACME
	want.Email = "ops@example.com"
	require.Equal(t, want, settings.TLS.ACME)
	require.Equal(t, "letsencrypt", settings.TLS.ACME.Directory)
}

func TestEverythingSetArrives(t *testing.T) {
	settings, err := configs.Load("testdata/good/everything.yaml", nil)

	require.NoError(t, err)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}, settings.TrustedProxies)
	require.Equal(t, configs.Log{
		Level: "debug", Format: "console",
		Access: configs.AccessLog{
			Output: "/var/log/access.log", Sample: 0.5,
			Rotate: configs.Rotate{Size: 100e6, Age: 7 * 24 * time.Hour, Keep: 1, Compress: true},
		},
	}, settings.Log)
	require.Equal(t, configs.TLS{
		Issuer: configs.IssuerNone, ACME: configs.Defaults().TLS.ACME, Storage: "testdata/good/state", MinVersion: "1.3",
		Redis: configs.Defaults().TLS.Redis,
		Files: []configs.KeyPair{{Certificate: "testdata/good/everything.yaml", Key: "testdata/good/everything.yaml"}},
		ECH:   []configs.ECHKey{{Config: "testdata/good/everything.yaml", PrivateKey: "testdata/good/everything.yaml"}},
	}, settings.TLS)
	require.Equal(t, configs.Admin{Socket: "/run/gate.sock", Watch: true, Address: "[::1]:9180"}, settings.Admin)
	require.Equal(t, []string{
		"PUT https://track.example.com/api/x/y from 203.0.113.9: allowed, pool a, sni a.example.com, origin https://shop.example.com, forwarded_for 192.0.2.1, 10.0.0.1",
		"GET /docs from 203.0.113.9: client_not_allowed, listener gui",
	}, []string{settings.Tests[0].String(), settings.Tests[1].String()})
	require.Equal(t, configs.Timeouts{
		Handshake: time.Second, Head: 2 * time.Second, Body: 3 * time.Second,
		Write: 4 * time.Second, KeepAlive: 90 * time.Minute / 2, Announce: 5 * time.Second, Drain: 0,
	}, settings.Timeouts)
	limits := configs.Limits{
		Body: 10e6, Head: 2048, Target: 1024, Fields: 50, BodyRate: 0,
		Streams: 1, StreamsPerConnection: 100, Connections: 10, ConnectionsPerClient: 0, HandshakesPerClient: 7,
	}
	require.Equal(t, limits, settings.Limits)

	limits.Body, limits.Fields, limits.Streams = 64*configs.KiB, 20, 1000
	require.Equal(t, configs.Listener{
		Name: "public", Kind: configs.Public, Address: "10.0.0.1:443", TLS: true, HTTP2: false, MinVersion: "1.2",
		ClientCertificates: configs.ClientCertificates{
			CA: "testdata/good/everything.yaml", Mode: configs.CertificateOptional,
			Names: []string{"*.example.com", "Ops@example.com", "::1"}, CRL: "testdata/good/everything.yaml",
		},
		Hosts:    []string{"track.example.com", "*.example.com", "10.0.0.1", "2001:db8::1"},
		Allow:    []configs.Allow{{Preset: "uix"}, {Methods: []string{"POST", "PUT"}, Path: "/x/*"}},
		Deny:     configs.DenyRespond,
		CORS:     configs.CORS{Origins: []string{"https://shop.example.com", "http://[::1]:8080"}, MaxAge: 2 * time.Hour},
		Pool:     "a",
		HSTS:     180 * 24 * time.Hour,
		BasePath: "/api", ClientIPHeader: "x-forwarded-ip", HideErrors: true,
		ProxyProtocol: []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32")},
		Limits:        limits,
	}, settings.Listeners[0])
	gui := settings.Listeners[1]
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("203.0.113.7/32")}, gui.Clients)
	require.Equal(t, configs.CORS{Off: true}, gui.CORS)
	require.Equal(t, configs.DenyDrop, gui.Deny)
	require.Nil(t, gui.Allow)
	require.True(t, gui.HTTP2)
	redirect := settings.Listeners[2]
	require.False(t, redirect.TLS)
	require.False(t, redirect.HTTP2)
	require.Empty(t, redirect.Hosts)
	require.Empty(t, redirect.Pool)

	file := "testdata/good/everything.yaml"
	require.Equal(t, configs.Pool{
		Name: "a",
		Backends: []configs.Backend{
			{Scheme: "http", Host: "be-public.svc", Port: 80, Weight: 1},
			{Scheme: "http", Host: "2001:db8::2", Port: 8686, Weight: 0},
			{Scheme: "http", Host: "my_app", Port: 1, Weight: 1000},
			{Scheme: "https", Host: "be.example", Port: 443, Weight: 1},
			{Discovery: configs.DNS, Scheme: "https", Host: "be-public-svc.tracardi.svc.cluster.local.", Port: 8443, Weight: 2},
			{Discovery: configs.SRV, Scheme: "http", Host: "_http._tcp.be_public.example", Weight: 1},
		},
		DNS: configs.Lookup{
			Servers: []string{"10.0.0.2:53", "[2001:db8::53]:53", "10.0.0.3:53", "10.0.0.2:5353"},
			Refresh: 5 * time.Second, Timeout: 10 * time.Millisecond,
		},
		TLS:            configs.BackendTLS{CA: file, ServerName: "be.example", Certificate: file, Key: file},
		Policy:         configs.TwoChoices,
		MaxConnections: 50,
		Queue:          configs.Queue{Size: 10, Busy: 0, Wait: time.Minute},
		Retry:          configs.Retry{Status: []int{503}, Attempts: 10, Deadline: time.Hour, Budget: 0, NonIdempotent: true},
		Health: configs.Health{Path: "/ready?x=1", Host: "tenant.example.com:80", Status: []int{200, 204},
			Interval: 10 * time.Millisecond, Timeout: time.Second, Rise: 1, Fall: 1, Failures: 0},
		Timeouts: configs.BackendTimeouts{Connect: 2 * time.Second, Response: time.Minute, Idle: time.Second},
	}, settings.Pools[0])

	unused := configs.Defaults().Pools[0]
	unused.Name, unused.Policy = "unused", configs.LeastBusy
	unused.Backends = []configs.Backend{{Scheme: "http", Host: "a", Port: 80, Weight: 1}}
	unused.Queue.Size, unused.Retry.Status = 0, nil
	require.Equal(t, unused, settings.Pools[1])
}

// HTTP/2 is on wherever there is TLS; a listener without needs no word about it.
func TestHTTP2FollowsTLSUnlessItIsSet(t *testing.T) {
	for said, wanted := range map[string]bool{
		"tls: on":                    true,
		"http2: true":                true,
		"http2: false":               false,
		"tls: off":                   false,
		"tls: off\n    http2: false": false,
	} {
		file := strings.Replace(plain, "tls: off", said, 1) + "tls: {issuer: internal}\n"
		require.Equal(t, wanted, parsed(t, file).Listeners[0].HTTP2, said)
	}
}

func TestAllMistakesAreToldAtOnceInTheOrderOfTheFile(t *testing.T) {
	said := refused(t, "log: {level: loud}\n"+plain+"limits: {body: 0}\nadmin: {addres: x}\n", "TRACKGATE_LOG_FORMAT=xml")

	require.Equal(t, []string{
		`trackgate.yaml:1:14: log.level: "loud"`,
		`trackgate.yaml:11:16: limits.body: 0`,
		`trackgate.yaml:12:9: admin.addres: "x"`,
		`TRACKGATE_LOG_FORMAT: log.format: "xml"`,
	}, beginnings(said))
}

func TestAFileOfMistakesIsToldInPart(t *testing.T) {
	lines := strings.Split(refused(t, strings.Repeat("? {a: b}\n: c\n", 500)), "\n")

	require.Len(t, lines, 101)
	require.Contains(t, lines[100], "there is more: wanted the others to be mended first")
}

func TestWhatFollowsFromAMistakeIsNotTold(t *testing.T) {
	said := refused(t, `listeners:
  - name: {}
    kind: !word public
    address: 5
    hosts: [{}]
    tls: maybe
    pool: a
  - none
pools:
  - {name: a, backends: [5]}
`)

	require.Equal(t, []string{
		`trackgate.yaml:2:11: listeners[0].name: an empty section`,
		`trackgate.yaml:3:11: listeners[0].kind: YAML's tag !word`,
		`trackgate.yaml:4:14: listeners[0].address: 5`,
		`trackgate.yaml:5:13: listeners[0].hosts[0]: an empty section`,
		`trackgate.yaml:6:10: listeners[0].tls: "maybe"`,
		`trackgate.yaml:8:5: listeners[1]: "none"`,
		`trackgate.yaml:10:26: pools[0].backends[0]: 5`,
	}, beginnings(said))
}

func TestAnAliasOfNothingIsToldWithItsLine(t *testing.T) {
	require.Equal(t, "trackgate.yaml:10:1: unknown anchor 'level' referenced: wanted well-formed YAML",
		refused(t, plain+"log: {level: *level}\n"))
}

func TestAMissingFileIsAnErrorOfTheSystem(t *testing.T) {
	_, err := configs.Load(filepath.Join(t.TempDir(), "none.yaml"), nil)

	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "none.yaml")
}

func TestAFolderIsNoFile(t *testing.T) {
	_, err := configs.Load(t.TempDir(), nil)

	require.ErrorContains(t, err, "settings: read")
}

func TestAFileMayHaveOneMebibyte(t *testing.T) {
	fitting := plain + "#" + strings.Repeat("x", 1<<20-len(plain)-1)
	parsed(t, fitting)

	require.Contains(t, refused(t, fitting+"x"), "a larger file: wanted at most 1MiB")
}

func TestOnlyTextIsRead(t *testing.T) {
	parsed(t, "\ufeff"+plain)

	require.Equal(t, `trackgate.yaml:2:4: byte "\xff": wanted UTF-8 text without control characters`, refused(t, "a: b\nc: \xff\n"))
	require.Contains(t, refused(t, "a: \x1b[0m\n"), `trackgate.yaml:1:4: byte "\x1b"`)
}

func TestFilesThatMayNotBeReadAreToldByTheirCause(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "trackgate.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(folder, "tls.crt"), nil, 0o600))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(folder, "tls.key")))

	_, err := configs.Parse(name, []byte(plain+"tls: {files: [{certificate: tls.crt, key: tls.key}]}\n"), nil)

	require.Equal(t, name+`:10:43: tls.files[0].key: "tls.key": wanted a file that can be read (no such file or directory)`, err.Error())
}

func TestSettingsDoNotShareMemory(t *testing.T) {
	a, b := parsed(t, plain), parsed(t, plain)

	a.Listeners[0].Allow[0].Preset = "changed"
	a.Pools[0].Health.Status[0] = 500

	require.Equal(t, "track", b.Listeners[0].Allow[0].Preset)
	require.Equal(t, 200, b.Pools[0].Health.Status[0])
	require.Equal(t, "track", configs.Defaults().Listeners[0].Allow[0].Preset)
}

// beginnings returns each line up to what was wanted.
func beginnings(said string) []string {
	lines := strings.Split(said, "\n")
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, ": wanted ")
	}
	return lines
}
