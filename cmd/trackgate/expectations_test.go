package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/reason"
)

// What can be expected is spelled as the gate spells it.
func TestExpectationsAreReasons(t *testing.T) {
	words := []string{configs.Allowed}
	for r := range reason.Count {
		words = append(words, r.String())
	}
	assert.Subset(t, words, configs.Expectations())
}

// What the reference expects comes out so.
func TestTheTestsOfTheReferenceHold(t *testing.T) {
	folder := t.TempDir()
	for _, file := range []string{"tls.crt", "tls.key", "ech.pem"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), nil, 0o600))
	}
	s, err := configs.Parse("reference.yaml", []byte(strings.ReplaceAll(configs.Reference(), "/etc/trackgate", folder)), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, s.Tests)
	assert.NoError(t, hold(s))
}

// So does what examples expect.
func TestTheTestsOfExamplesHold(t *testing.T) {
	tests := 0
	files, err := filepath.Glob("../../examples/*/trackgate.yaml")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		folder := t.TempDir()
		for _, name := range []string{"tls.crt", "tls.key"} {
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), nil, 0o600))
		}
		own := strings.ReplaceAll(string(text), "/tls/", "") // what is mounted in a container
		s, err := configs.Parse(filepath.Join(folder, "trackgate.yaml"), []byte(own), []string{
			"REDIS_PASSWORD=secret", "REDIS_ENCRYPTION_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
		})
		require.NoError(t, err)
		assert.NoError(t, hold(s), file)
		tests += len(s.Tests)
	}
	assert.NotZero(t, tests)
}

// A mistake that comes from the environment names its variable.
func TestATestOfTheEnvironmentIsNamed(t *testing.T) {
	_, _, err := loadSettings("testdata/tested.yaml", []string{"TRACKGATE_TESTS_7_EXPECT=allowed"})
	require.EqualError(t, err, `TRACKGATE_TESTS_7_EXPECT: tests[7].expect: "allowed": wanted wrong_host, which is what comes of it `+
		"(accept: no listener there has this name, so the TLS handshake fails and no status is sent)\n7 of 8 tests hold")
}

const expectsTrack = "tests: [{request: POST /track, listener: public, from: 192.0.2.1, expect: allowed}]\nlog:"

// A reload that breaks what is expected leaves the old settings serving.
func TestAReloadThatBreaksATestChangesNothing(t *testing.T) {
	g := newOperated(t)
	g.rewrite(t, "log:", expectsTrack)
	got := try("reload", "-c", g.file)
	require.Equal(t, exitFine, got.code, got.stderr)

	g.rewrite(t, `hosts: ["localhost"],`, `hosts: ["localhost"], allow: [uix],`)
	for _, verb := range []string{"check", "diff", "reload"} {
		got = try(verb, "-c", g.file)
		assert.Equal(t, exitMistake, got.code, verb)
		assert.Contains(t, got.stderr, `tests[0].expect: "allowed": wanted not_exposed, which is what comes of it (match: not found)`, verb)
		assert.Contains(t, got.stderr, "0 of 1 tests hold", verb)
	}
	require.NoError(t, g.command.Process.Signal(syscall.SIGHUP))
	require.Eventually(t, func() bool { return g.metric(t, "trackgate_config_last_reload_successful") == "0" }, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, 200, g.status(t, "POST", "/track"))
	assert.Equal(t, exitFine, try("backends", "-c", g.file).code, "who only looks does not mind")

	g.rewrite(t, "allow: [uix]", "allow: [track, uix]")
	assert.Equal(t, exitFine, try("reload", "-c", g.file).code)
}

// As many as a file may have cost a reload little.
func TestManyTestsAreHeldInNoTime(t *testing.T) {
	text, err := os.ReadFile("testdata/tested.yaml")
	require.NoError(t, err)
	first := strings.Index(string(text), "  - {request")
	many := string(text)[:first] + strings.Repeat(string(text)[first:], 500)
	s, err := configs.Parse("many.yaml", []byte(many), nil)
	require.NoError(t, err)
	began := time.Now()
	require.NoError(t, hold(s))
	t.Logf("%d tests took %s", len(s.Tests), time.Since(began))
	assert.Less(t, time.Since(began), 5*time.Second)
}
