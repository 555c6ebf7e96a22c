//go:build scenario

package scenario

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/faults"
)

// verb runs a verb of the gate's program on its settings.
func (s *site) verb(t *testing.T, words ...string) (output string, err error) {
	t.Helper()
	text, err := exec.Command(gate(t), append(words, "-c", s.file)...).CombinedOutput()
	return string(text), err
}

// rewrite replaces parts of the settings, by pairs.
func (s *site) rewrite(t *testing.T, original string, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(t, original, pairs[i])
	}
	require.NoError(t, os.WriteFile(s.file, []byte(strings.NewReplacer(pairs...).Replace(original)), 0o600))
}

// reloads is how often settings change, and how long each is in use.
func reloads() (times int, each time.Duration) { return 20, lasts(250*time.Millisecond, 3*time.Second) }

// changes are of every kind: rules, what is built into a pool, backends that come and
// go, certificates, the terms of connections, another address. Each is pairs of what is
// replaced.
func (s *site) changes(t *testing.T) [][]string {
	t.Helper()
	entries := strings.Split(s.entries(), ", ")
	return [][]string{
		{"allow: [track,", "hsts: 180d\n    allow: [track,"},
		{checked, checked + "\n    policy: least_busy"},
		{s.entries(), strings.Join(entries[:2], ", ")},
		{`hosts: ["localhost"]`, `hosts: ["localhost", "more.test"]`},
		{"allow: [track,", "limits: {body: 500KiB}\n    allow: [track,"},
		{"pools:\n", "  - {name: more, kind: public, address: \"" + faults.Address(t) + "\", hosts: [\"other.test\"], pool: collectors}\npools:\n"},
		{"pools:\n", "pools:\n"},
	}
}

func (s *site) reload(t *testing.T) {
	t.Helper()
	output, err := s.verb(t, "reload")
	require.NoError(t, err, "%s", output)
}

// Whoever is under way stays so: events, uploads and answers that take long, and a
// websocket.
func TestScenario14ReloadsUnderLoadLoseNothing(t *testing.T) {
	t.Parallel()
	p := newParlor(t)
	s := newSite(t, plan{backends: 3, role: role{Latency: thinks}, further: p.settings()})
	original, err := os.ReadFile(s.file)
	require.NoError(t, err)
	changes := s.changes(t)
	talk := p.talk(t, s.trust(t))
	l, long := s.load(t, heavy()), startLong(s.client, lasts(2*time.Second, 20*time.Second))
	pause(baseline)
	times, each := reloads()
	var memory []float64
	for i := range times {
		s.rewrite(t, string(original), changes[i%len(changes)]...)
		s.reload(t)
		pause(each)
		memory = append(memory, s.vitals(t)[resident])
	}
	s.rewrite(t, string(original))
	s.reload(t)
	pause(each)
	r := append(l.stop(), long.stop()...)

	r.faultless(t, "requests")
	talk.lasted(t, times)
	s.sized(t, r, memory[len(changes):])
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	s.settle(t, r)
}

// sized demands, in the long form, that there were as many requests as the scenario is
// to have, and that the gate did not grow by more than a twentieth since all kinds of
// changes had been there once.
func (s *site) sized(t *testing.T, r report, memory []float64) {
	t.Helper()
	t.Logf("resident memory in MB: %.1f", megabytes(memory))
	if !soak() || raced {
		return
	}
	assert.GreaterOrEqual(t, len(r), 60_000, "requests")
	assert.LessOrEqual(t, memory[len(memory)-1], 1.05*memory[0], "resident memory in bytes")
}

func megabytes(values []float64) []float64 {
	var shown []float64
	for _, v := range values {
		shown = append(shown, v/1e6)
	}
	return shown
}

// What is wrong with a file is said by its place, and changes nothing.
func TestScenario15BrokenFilesChangeNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, plan{backends: 2, role: role{Latency: thinks}})
	original, err := os.ReadFile(s.file)
	require.NoError(t, err)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	l := s.load(t, rate())
	pause(baseline)
	for _, row := range []struct{ old, other, want string }{
		{"pools:\n", "pools:\n\t- x\n", s.file + ":"},
		{"allow: [track,", "alow: [track,", ":7:5: listeners[0].alow: "},
		{"tls: {issuer: internal,", "tls: {issuer: internal, files: [{certificate: /none.crt, key: /none.key}],", "/none.crt"},
		{"pools:\n", "  - {name: more, kind: public, address: \"" + taken.Addr().String() + "\", hosts: [\"other.test\"], pool: collectors}\npools:\n", "address already in use"},
	} {
		s.rewrite(t, string(original), row.old, row.other)
		output, err := s.verb(t, "reload")
		require.Error(t, err, "%s", output)
		assert.Contains(t, output, row.want)
	}
	assert.Equal(t, 0.0, s.vitals(t)["trackgate_config_last_reload_successful"], "it was the gate that refused the last one")
	s.rewrite(t, string(original))
	s.reload(t)
	pause(baseline)
	r := l.stop()
	r.faultless(t, "requests")
	s.settle(t, r)
}
