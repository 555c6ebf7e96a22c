package configs_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	settings := parsed(t, plain+"log: {level: warn}\n",
		"PATH=/bin",
		"TRACKGATE_LOG_LEVEL=debug",
		"TRACKGATE_ADMIN_ADDRESS=",
		"TRACKGATE_LIMITS_BODY_RATE=2KiB",
		"TRACKGATE_LIMITS_BODY=1000",
		"TRACKGATE_LIMITS_STREAMS=50",
		"TRACKGATE_LIMITS_STREAMS_PER_CONNECTION=500",
		"TRACKGATE_LOG_ACCESS_SAMPLE=0.25",
		"TRACKGATE_TRUSTED_PROXIES=10.0.0.0/8, 192.0.2.7",
		"TRACKGATE_LISTENERS_0_ADDRESS=:8080",
		"TRACKGATE_LISTENERS_0_HIDE_ERRORS=true",
		"TRACKGATE_LISTENERS_0_HTTP2=false",
		"TRACKGATE_LISTENERS_0_CORS=off",
		"TRACKGATE_LISTENERS_0_LIMITS_BODY=5",
		"TRACKGATE_LISTENERS_0_LIMITS_STREAMS_PER_CONNECTION=700",
		"TRACKGATE_LISTENERS_0_ALLOW=track,uix",
		"TRACKGATE_POOLS_0_HEALTH_INTERVAL=1m",
		"TRACKGATE_POOLS_0_HEALTH_STATUS=200,204",
		"TRACKGATE_POOLS_0_SLOW_START=0",
		"TRACKGATE_POOLS_0_QUEUE_SIZE=7",
		"TRACKGATE_POOLS_0_RETRY_STATUS=",
		"TRACKGATE_POOLS_0_RETRY_NON_IDEMPOTENT=true",
		"TRACKGATE_POOLS_0_DNS_SERVERS=10.0.0.2,10.0.0.3:5353",
		"TRACKGATE_POOLS_0_TLS_SERVER_NAME=be.example",
		"TRACKGATE_POOLS_0_BACKENDS_0=http://10.0.0.99",
		"TRACKGATE_POOLS_0_BACKENDS_1_URL=http://10.0.0.98:81",
		"TRACKGATE_POOLS_0_BACKENDS_1_WEIGHT=7",
		"TRACKGATE_POOLS_0_BACKENDS_2=dns+https://be.example",
	)

	l, p := settings.Listeners[0], settings.Pools[0]
	require.Equal(t, "debug", settings.Log.Level)
	require.Empty(t, settings.Admin.Address)
	require.Equal(t, 2*configs.KiB, settings.Limits.BodyRate)
	require.Equal(t, configs.Size(1000), settings.Limits.Body)
	require.InDelta(t, 0.25, settings.Log.Access.Sample, 0)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32")}, settings.TrustedProxies)
	require.Equal(t, ":8080", l.Address)
	require.True(t, l.HideErrors)
	require.True(t, l.CORS.Off)
	require.Equal(t, configs.Size(5), l.Limits.Body)
	require.Equal(t, 50, l.Limits.Streams)
	require.Equal(t, 500, settings.Limits.StreamsPerConnection)
	require.Equal(t, 700, l.Limits.StreamsPerConnection)
	require.Equal(t, []configs.Allow{{Preset: "track"}, {Preset: "uix"}}, l.Allow)
	require.Equal(t, time.Minute, p.Health.Interval)
	require.Equal(t, []int{200, 204}, p.Health.Status)
	require.Equal(t, []configs.Backend{
		{Scheme: "http", Host: "10.0.0.99", Port: 80, Weight: 1},
		{Scheme: "http", Host: "10.0.0.98", Port: 81, Weight: 7},
		{Discovery: configs.DNS, Scheme: "https", Host: "be.example", Port: 443, Weight: 1},
	}, p.Backends)
	require.Zero(t, p.SlowStart)
	require.Equal(t, 7, p.Queue.Size)
	require.Empty(t, p.Retry.Status)
	require.True(t, p.Retry.NonIdempotent)
	require.Equal(t, []string{"10.0.0.2:53", "10.0.0.3:5353"}, p.DNS.Servers)
	require.Equal(t, "be.example", p.TLS.ServerName)
}

func TestTheEnvironmentAloneIsEnough(t *testing.T) {
	settings := parsed(t, "",
		"TRACKGATE_LISTENERS_0_NAME=public",
		"TRACKGATE_LISTENERS_0_KIND=public",
		"TRACKGATE_LISTENERS_0_ADDRESS=:80",
		"TRACKGATE_LISTENERS_0_HOSTS=a.example.com,b.example.com",
		"TRACKGATE_LISTENERS_0_TLS=off",
		"TRACKGATE_LISTENERS_0_POOL=p",
		"TRACKGATE_LISTENERS_0_ALLOW_0_METHODS=GET,POST",
		"TRACKGATE_LISTENERS_0_ALLOW_0_PATH=/x",
		"TRACKGATE_POOLS_0_NAME=p",
		"TRACKGATE_POOLS_0_BACKENDS=http://10.0.0.1",
	)

	require.Equal(t, []string{"a.example.com", "b.example.com"}, settings.Listeners[0].Hosts)
	require.Equal(t, []configs.Allow{{Methods: []string{"GET", "POST"}, Path: "/x"}}, settings.Listeners[0].Allow)
}

func TestVariablesNobodyKnowsAreMistakes(t *testing.T) {
	for variable, said := range map[string]string{
		"TRACKGATE_LOG_LEVL=debug":               `TRACKGATE_LOG_LEVL: "debug": wanted a variable that is named after a key; did you mean "TRACKGATE_LOG_LEVEL"?`,
		"TRACKGATE_LISTENERS_0_ADRESS=:80":       `TRACKGATE_LISTENERS_0_ADRESS: ":80": wanted a variable that is named after a key; did you mean "TRACKGATE_LISTENERS_0_ADDRESS"?`,
		"TRACKGATE_LOG=debug":                    `TRACKGATE_LOG: "debug": wanted a variable that is named after a key; did you mean "TRACKGATE_LOG_LEVEL"?`,
		"TRACKGATE_LISTENERS_PUBLIC_ADDRESS=:80": `TRACKGATE_LISTENERS_PUBLIC_ADDRESS: ":80": wanted a variable that is named after a key; did you mean "TRACKGATE_LISTENERS_0_ADDRESS"?`,
		"TRACKGATE_=x":                           `TRACKGATE_: "x": wanted a variable that is named after a key`,
		"TRACKGATE_LISTENERS_01_NAME=x":          `TRACKGATE_LISTENERS_01_NAME: "x": wanted a variable that is named after a key; did you mean "TRACKGATE_LISTENERS_1_NAME"?`,
		"TRACKGATE_LISTENERS_5_NAME=x":           `TRACKGATE_LISTENERS_5_NAME: listeners[5]: "x": wanted an item from 0 to 1`,
		"TRACKGATE_LIMITS_BODY=much":             `TRACKGATE_LIMITS_BODY: limits.body: "much": wanted a size like 512, 8KiB, 1MiB or 10MB`,
		"TRACKGATE_LOG_LEVEL=loud":               `TRACKGATE_LOG_LEVEL: log.level: "loud": wanted one of debug, info, warn, error`,
		"TRACKGATE_LOG_LEVEL=a\nb":               `TRACKGATE_LOG_LEVEL: log.level: "a\nb": wanted text in one line`,
	} {
		require.Equal(t, said, refused(t, plain, variable))
	}
}

// A Service that is called trackgate puts these into every pod beside it.
func TestWhatKubernetesSetsIsNoMistake(t *testing.T) {
	parsed(t, plain,
		"TRACKGATE_SERVICE_HOST=10.1.2.3",
		"TRACKGATE_SERVICE_PORT=443",
		"TRACKGATE_SERVICE_PORT_HTTPS=443",
		"TRACKGATE_PORT=tcp://10.1.2.3:443",
		"TRACKGATE_PORT_443_TCP=tcp://10.1.2.3:443",
		"TRACKGATE_PORT_443_TCP_ADDR=10.1.2.3",
		"TRACKGATE_ADMIN_SERVICE_HOST=10.1.2.4",
		"TRACKGATE_ADMIN_PORT_9180_TCP_PROTO=tcp",
	)
}

func TestVariablesAreReplacedInsideValues(t *testing.T) {
	settings := parsed(t, plain+`
log: {access: {output: "/a$${b}$c$$/${FOLDER}/${EMPTY}x", sample: "${SHARE}"}}
limits: {fields: "${FIELDS}", body: "${SIZE}iB"}
timeouts:
  head: ${HEAD}
trusted_proxies: ["${NET}.0.0/16"]
`, "FOLDER=${not again}", "EMPTY=", "SHARE=0.5", "FIELDS=50", "HEAD=3s", "SIZE=2M", "NET=10.0", "NET=10.1")

	require.Equal(t, "/a${b}$c$$/${not again}/x", settings.Log.Access.Output)
	require.InDelta(t, 0.5, settings.Log.Access.Sample, 0)
	require.Equal(t, 50, settings.Limits.Fields)
	require.Equal(t, 3*time.Second, settings.Timeouts.Head)
	require.Equal(t, 2*configs.MiB, settings.Limits.Body)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, settings.TrustedProxies)
}

func TestReplacedValuesAreChecked(t *testing.T) {
	require.Equal(t, `trackgate.yaml:10:18: limits.fields: "many": wanted a whole number`,
		refused(t, plain+"limits: {fields: \"${FIELDS}\"}\n", "FIELDS=many"))
}

// A variable that is empty by mistake must not open a listener to strangers.
func TestAnEmptyVariableDoesNotTurnCertificatesOfClientsOff(t *testing.T) {
	const asking = secure + "    client_certificates: {ca: \"${CLIENT_CA}\", crl: \"${CRL}\"}\n"
	require.Contains(t, refused(t, asking, "CLIENT_CA=", "CRL="),
		`client_certificates.ca: "": wanted the path of a file, because what the environment has for it is empty`)
	require.Contains(t, refused(t, asking, "CLIENT_CA=environment_test.go", "CRL="), `client_certificates.crl: "": wanted the path of a file`)
	require.Contains(t, refused(t, asking, "CLIENT_CA=environment_test.go", "CRL=environment_test.go", "TRACKGATE_LISTENERS_0_CLIENT_CERTIFICATES_CA="),
		`client_certificates.ca: "": wanted the PEM file of who signs for clients, because there is crl`)
	require.Contains(t, refused(t, secure, "TRACKGATE_LISTENERS_0_CLIENT_CERTIFICATES_CA="), `client_certificates.ca: "": wanted the path of a file`)

	parsed(t, asking, "CLIENT_CA=environment_test.go", "CRL=environment_test.go")
	parsed(t, secure+"    client_certificates: {ca: \"\"}\n")
}

// secure ends inside its listener.
const secure = `tls: {issuer: internal}
pools:
  - {name: collectors, backends: ["http://10.0.0.11:8686"]}
listeners:
  - name: public
    kind: public
    address: ":443"
    hosts: [track.example.com]
    pool: collectors
`
