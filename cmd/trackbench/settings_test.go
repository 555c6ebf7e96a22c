package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testSite is a site with real certificate files.
func testSite(t *testing.T) site {
	t.Helper()
	s, err := newSite(testCertificate(t), "proxy", "127.0.0.1:8686")
	require.NoError(t, err)
	s.LogServer = "127.0.0.1:5140"
	return s
}

func TestSettingsSayWhatTheComparisonPromises(t *testing.T) {
	for _, row := range []struct {
		contender contender
		wants     []string
	}{
		{trackgate(ours, "trackgate", trackgateSettings+operated), []string{"allow: [track]", `hosts: ["bench.test"]`, `backends: ["http://127.0.0.1:8686"]`,
			"access: {output: ", "connections_per_client: 0, handshakes_per_client: 0", "issuer: none", "admin: {socket: \"/", "address: \"127.0.0.1:", "watch: true}"}},
		{trackgate(earlier, "trackgate", trackgateSettings+unattended), []string{`admin: {socket: "", address: ""}`}},
		{nginx(), []string{"worker_processes 1;", "keepalive 256;", " ssl http2 ", "keepalive_requests 10000000;", "access_log ", "buffer=64k flush=1s;", "multi_accept on;",
			"proxy_http_version 1.1;", `proxy_set_header Connection "";`, "proxy_set_header X-Forwarded-For $remote_addr;",
			"server 127.0.0.1:8686;", "location = /track {", "ssl_session_tickets on;", "TLS_AES_128_GCM_SHA256"}},
		{haproxy(), []string{"nbthread 1", "http-reuse always", " alpn h2,http/1.1 ", "pool-max-conn 256", "log-format ", "server sink 127.0.0.1:5140",
			"unless { method POST } { path -m str /track }", "set-header X-Forwarded-For %[src]",
			"server one 127.0.0.1:8686 ", "TLS_AES_128_GCM_SHA256"}},
	} {
		t.Run(row.contender.name, func(t *testing.T) {
			s := testSite(t)

			require.NoError(t, s.writeSettings(row.contender.settings))

			text := fileText(t, s.settingsFile())
			assert.Contains(t, text, s.Address)
			assert.NotContains(t, text, "{{")
			assert.NotContains(t, text, "<no value>")
			for _, want := range row.wants {
				assert.Contains(t, text, want)
			}
			assert.Contains(t, row.contender.start(s), s.settingsFile())
		})
	}
}

func TestPeersTakeTheirSettings(t *testing.T) {
	for _, row := range []struct {
		contender contender
		check     []string
	}{
		{nginx(), []string{"-t"}},
		{haproxy(), []string{"-c"}},
	} {
		t.Run(row.contender.name, func(t *testing.T) {
			c, err := row.contender.find()
			if err != nil {
				t.Skip(err)
			}
			s := testSite(t)
			require.NoError(t, s.writeSettings(c.settings))

			out, err := exec.Command(c.binary, append(c.start(s), row.check...)...).CombinedOutput()

			require.NoError(t, err, "%s", out)
			assert.NotContains(t, string(out), "[warn]")
			assert.NotContains(t, string(out), "[WARNING]")
		})
	}
}

func TestSettingsFailWithoutAFolder(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")

	_, err := newSite(missing, "nginx", "127.0.0.1:1")
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorIs(t, site{Folder: missing}.writeSettings(""), os.ErrNotExist)
	assert.ErrorContains(t, site{Folder: t.TempDir()}.writeSettings("{{.Nothing}}"), "settings: ")
}

func TestContenderThatIsNotThereIsNamedWithARemedy(t *testing.T) {
	_, err := trackgate(ours, "/nowhere/trackgate", trackgateSettings+operated).find()

	assert.EqualError(t, err, `trackgate: no program "/nowhere/trackgate": install or build it, or name the others with -only`)
	assert.Equal(t, "unknown version", trackgate(ours, "/nowhere/trackgate", trackgateSettings+operated).describe(t.Context()))
}
