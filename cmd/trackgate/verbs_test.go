package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// outcome is what is seen of one command.
type outcome struct {
	code           int
	stdout, stderr string
}

// try runs one command in this process.
func try(args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := execute(args, &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// settings writes a file of settings and returns its name.
func settings(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trackgate.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// golden holds text against a file. UPDATE_GOLDEN=1 writes it anew.
func golden(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), text)
}

// session is a text of commands and what they print.
type session struct{ strings.Builder }

func (s *session) try(command string) {
	got := try(strings.Fields(command)...)
	fmt.Fprintf(s, "$ trackgate %s\n%s", command, got.stdout)
	if got.stderr != "" {
		fmt.Fprintf(s, "(stderr) %s", got.stderr)
	}
	fmt.Fprintf(s, "(exit %d)\n\n", got.code)
}

func TestCheck(t *testing.T) {
	var s session
	s.try("check -c testdata/good.yaml")
	s.try("check -c testdata/found.yaml")
	s.try("check -c testdata/guarded.yaml")
	s.try("check -c testdata/unguarded.yaml")
	s.try("check -c testdata/tested.yaml")
	s.try("check -c testdata/untrue.yaml")
	s.try("check -c testdata/untrue.yaml -o json")
	s.try("check -c testdata/bad.yaml")
	s.try("check -c testdata/broken.yaml")
	s.try("check -c testdata/none.yaml")
	s.try("check -c testdata/bad.yaml -o json")
	s.try("check -c testdata/none.yaml -o json")
	golden(t, "check.golden", s.String())
}

func TestCheckForPrograms(t *testing.T) {
	got := try("check", "-c", "testdata/good.yaml", "-o", "json")
	require.Equal(t, exitFine, got.code, got.stderr)
	var said struct {
		Listeners []struct {
			Name, Kind, Address, Pool string
			Hosts, Exposes, Protocols []string
		}
		Pools        []struct{ Name, Policy string }
		Certificates []struct {
			Hosts  []string
			Source string
		}
		Mistakes []any
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &said))
	require.Len(t, said.Listeners, 3)
	assert.Equal(t, "collectors", said.Listeners[0].Pool)
	assert.Equal(t, []string{"everything to 10.0.0.0/8, 203.0.113.7/32"}, said.Listeners[1].Exposes)
	assert.Equal(t, []string{"HTTP/2", "HTTP/1.1"}, said.Listeners[1].Protocols)
	assert.Equal(t, []string{"HTTP/1.1"}, said.Listeners[2].Protocols)
	assert.Len(t, said.Pools, 2)
	assert.Equal(t, "internal CA in /var/lib/trackgate", said.Certificates[0].Source)
	assert.Empty(t, said.Mistakes)
}

// A check is made where the gate does not run, perhaps without its rights.
func TestCheckLeavesNoTrace(t *testing.T) {
	storage := filepath.Join(t.TempDir(), "storage")
	text, err := os.ReadFile("testdata/good.yaml")
	require.NoError(t, err)
	file := settings(t, strings.ReplaceAll(string(text), "/var/lib/trackgate", storage))

	require.Equal(t, exitFine, try("check", "-c", file).code)

	assert.NoFileExists(t, storage)
	assert.NoDirExists(t, storage)
}

func TestExplain(t *testing.T) {
	const ask = "explain -c testdata/good.yaml --listener "
	var s session
	s.try(ask + "public --from 198.51.100.7 POST /track?profile_less=true")
	s.try(ask + "public --from 198.51.100.7 POST /track/")
	s.try(ask + "public --from 198.51.100.7 PUT /track")
	s.try(ask + "public --from 198.51.100.7 GET /docs")
	s.try(ask + "public --from 198.51.100.7 POST /tra%63k")
	s.try(ask + "public --from 198.51.100.7 POST https://tracardi.example.com/track")
	s.try(ask + "public --from 198.51.100.7 OPTIONS /track --origin https://shop.example.com")
	s.try(ask + "public --from 198.51.100.7 POST /track --origin https://evil.example")
	s.try(ask + "public --from 198.51.100.7 POST /track#top")
	s.try(ask + "gui --from ::ffff:10.1.2.3 GET /user/token")
	s.try(ask + "gui --from 198.51.100.7 GET /user/token")
	s.try(ask + "plain --from 198.51.100.7 GET http://track.example.com/")
	s.try(ask + "plain --from 198.51.100.7 POST http://track.example.com/track")
	const find = "explain -c testdata/good.yaml --from 198.51.100.7 "
	s.try(find + "POST https://track.example.com:8443/track --origin https://shop.example.com")
	s.try(find + "POST https://track.example.com:8443/track --sni tracardi.example.com")
	s.try(find + "GET https://other.example.com:8443/")
	s.try(find + "GET http://other.example.com:8080/")
	s.try(find + "GET https://tracardi.example.com:8443/ --forwarded-for 10.1.2.3")
	s.try(ask + "public --from 198.51.100.7 POST /track -o json")
	s.try(ask + "public --from 198.51.100.7 PUT /track -o json")
	golden(t, "explain.golden", s.String())
}

// What was said wrongly on the command line is a mistake, in words that help.
func TestMistakesOfUse(t *testing.T) {
	const from = "--from=192.0.2.1"
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"explain", "-c", "testdata/good.yaml", "--listener", "nix", from, "GET", "/"}, `no listener is named "nix": there are public, gui, plain`},
		{[]string{"explain", "-c", "testdata/good.yaml", "--listener", "public", "--from", "192.0.2", "GET", "/"}, `--from "192.0.2": wanted an IP address`},
		{[]string{"explain", "-c", "testdata/good.yaml", "--listener", "public", from, "GET"}, "explain has 1 arguments: wanted two, METHOD and URL"},
		{[]string{"explain", "-c", "testdata/good.yaml", from, "GET", "/"}, `URL "/": wanted one like https://track.example.com/track, or the name of the listener besides`},
		{[]string{"explain", "-c", "testdata/good.yaml", from, "GET", "https://track.example.com/"}, `no listener takes https on port 443: wanted another port, or the name of the listener besides (public, gui, plain)`},
		{[]string{"explain", "-c", "testdata/good.yaml", "--listener", "gui", "--sni", "x", from, "GET", "/"}, "wanted one of them, as the name chooses the listener"},
		{[]string{"explain", "-c", "testdata/good.yaml", "GET", "/"}, `required flag(s) "from" not set`},
		{[]string{"explain", "-c", "testdata/none.yaml", "--listener", "public", from, "GET", "/"}, "open testdata/none.yaml: no such file or directory"},
		{[]string{"check", "-c", "testdata/good.yaml", "-o", "xml"}, "wanted text or json"},
		{[]string{"check", "more"}, `unknown command "more"`},
		{[]string{"demo", "--listen", "8443"}, `--listen "8443": wanted an address like 127.0.0.1:8443`},
		{[]string{"demo", "--admin", "off"}, `--admin "off": wanted an address like 127.0.0.1:8443`},
		{[]string{"run", "--fast"}, "unknown flag: --fast"},
		{[]string{"serve"}, `unknown command "serve"`},
		{[]string{"run", "-c", "testdata/broken.yaml"}, "testdata/broken.yaml:"},
		{[]string{"run", "-c", "testdata/bad.yaml"}, "testdata/bad.yaml:3:11: listeners[0].kind"},
		{[]string{"run", "-c", "testdata/untrue.yaml"}, `testdata/untrue.yaml:25:83: tests[1].expect: "allowed": wanted not_exposed`},
		{[]string{"run", "-c", "testdata/none.yaml"}, "open testdata/none.yaml: no such file or directory"},
	} {
		got := try(test.args...)
		assert.Equal(t, exitMistake, got.code, test.args)
		assert.Contains(t, got.stderr, test.want)
		assert.Empty(t, got.stdout, test.args)
	}
}

func TestVersion(t *testing.T) {
	want := "trackgate dev " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH + "\n"
	assert.Equal(t, outcome{exitFine, want, ""}, try("version"))
}

func TestHelpNamesEveryVerb(t *testing.T) {
	got := try()
	assert.Equal(t, exitFine, got.code)
	for _, verb := range []string{"run", "check", "demo", "explain", "certs", "version"} {
		assert.Contains(t, got.stdout, "\n  "+verb)
		assert.Equal(t, exitFine, try(verb, "--help").code)
	}
}
