package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/internal/program"
	"github.com/trackgate/trackgate/proxy/pool"
)

func TestWhatIsWorseThanBefore(t *testing.T) {
	before := metrics.Health{Requests: 1000, Failed: 10, Handshakes: 100, FailedHandshakes: 1}
	plus := func(h metrics.Health) metrics.Health {
		return metrics.Health{
			Requests: before.Requests + h.Requests, Failed: before.Failed + h.Failed,
			Handshakes: before.Handshakes + h.Handshakes, FailedHandshakes: before.FailedHandshakes + h.FailedHandshakes,
		}
	}
	for name, row := range map[string]struct {
		since metrics.Health
		want  string
	}{
		"nothing happened":        {metrics.Health{}, ""},
		"as before":               {metrics.Health{Requests: 1000, Failed: 10, Handshakes: 1000, FailedHandshakes: 10}, ""},
		"a little more":           {metrics.Health{Requests: 1000, Failed: 30}, ""},
		"few, but all":            {metrics.Health{Requests: 9, Failed: 9}, ""},
		"many fail":               {metrics.Health{Requests: 100, Failed: 10}, "10 of 100 requests were answered with a 5xx"},
		"handshakes are refused":  {metrics.Health{Handshakes: 50, FailedHandshakes: 20}, "20 of 50 handshakes were refused"},
		"all requests at a start": {metrics.Health{Requests: 10, Failed: 10}, "10 of 10 requests were answered with a 5xx"},
	} {
		trial := &trial{health: before}
		assert.Equal(t, row.want, trial.trouble(plus(row.since), nil), name)
	}
}

func TestABackendThatGoesDownIsTrouble(t *testing.T) {
	one, two := pool.State{Pool: "p", Backend: "one", State: "down"}, pool.State{Pool: "p", Backend: "two", State: "down"}
	trial := &trial{down: downOf([]pool.State{one})}
	for range 10 {
		assert.Empty(t, trial.trouble(metrics.Health{}, []pool.State{one}), "it was before")
	}
	both := []pool.State{one, two}
	assert.Empty(t, trial.trouble(metrics.Health{}, both))
	assert.Empty(t, trial.trouble(metrics.Health{}, both))
	assert.Empty(t, trial.trouble(metrics.Health{}, []pool.State{one}), "up again")
	assert.Empty(t, trial.trouble(metrics.Health{}, both))
	assert.Empty(t, trial.trouble(metrics.Health{}, both))
	assert.Equal(t, "backend p two is down", trial.trouble(metrics.Health{}, both))
}

func TestSettingsOnTrial(t *testing.T) {
	g := newOperated(t)
	assert.Equal(t, outcome{code: exitMistake, stderr: "no settings are on trial\n"}, try("confirm", "-c", g.file))
	assert.Equal(t, exitMistake, try("reload", "-c", g.file, "--confirm", "-1s").code)

	g.rewrite(t, `hosts: ["localhost"],`, exposed)
	got := try("reload", "-c", g.file, "--confirm", "1m")
	assert.Equal(t, exitFine, got.code, got.stderr)
	assert.Regexp(t, "reloaded\non trial until .*: trackgate confirm keeps it\n$", got.stdout)
	assert.Equal(t, 200, g.status(t, "PUT", "/more"))
	got = try("reload", "-c", g.file)
	assert.Equal(t, outcome{code: exitMistake, stderr: errOnTrial.Error() + "\n"}, got)
	assert.Equal(t, outcome{stdout: "confirmed\n"}, try("confirm", "-c", g.file))
	assert.Equal(t, 200, g.status(t, "PUT", "/more"))

	g.rewrite(t, exposed, `hosts: ["localhost"],`)
	assert.Equal(t, exitFine, try("reload", "-c", g.file, "--confirm", "1s").code)
	assert.Equal(t, 404, g.status(t, "PUT", "/more"))
	require.Eventually(t, func() bool { return g.status(t, "PUT", "/more") == 200 }, 20*time.Second, 50*time.Millisecond, "nobody confirmed")
	assert.Equal(t, "0", g.metric(t, "trackgate_config_last_reload_successful"))
}

// Who has the file watched may have settings on trial all the same.
func TestAWatchedFileOnTrial(t *testing.T) {
	g := newOperated(t)
	g.rewrite(t, "admin: {", "admin: {watch: true, ")
	require.Equal(t, exitFine, try("reload", "-c", g.file).code)
	g.rewrite(t, `hosts: ["localhost"],`, exposed)
	require.Equal(t, exitFine, try("reload", "-c", g.file, "--confirm", "1m").code)
	require.Equal(t, 200, g.status(t, "PUT", "/more"))
	g.rewrite(t, "path: /more", "path: /other")
	g.staysClosed(t, "/other")
	assert.Equal(t, "1", g.metric(t, "trackgate_config_last_reload_successful"))
	require.Equal(t, exitFine, try("confirm", "-c", g.file).code)
	require.Eventually(t, func() bool { return g.status(t, "PUT", "/other") == 200 }, 20*time.Second, 50*time.Millisecond, "what was written meanwhile")

	g.rewrite(t, "path: /other", "path: /third")
	require.Equal(t, exitFine, try("reload", "-c", g.file, "--confirm", "1s").code)
	require.Eventually(t, func() bool { return g.status(t, "PUT", "/other") == 200 }, 20*time.Second, 50*time.Millisecond, "nobody confirmed")
	g.staysClosed(t, "/third")
}

// staysClosed looks at a path for longer than a change of the file takes to count.
func (g *operated) staysClosed(t *testing.T, path string) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < 3*watchInterval; <-tick.C {
		require.Equal(t, 404, g.status(t, "PUT", path))
	}
}

func TestThereIsNoTrialOfNothing(t *testing.T) {
	g := newOperated(t)
	assert.Equal(t, outcome{stdout: "nothing is different\n"}, try("reload", "-c", g.file, "--confirm", "1m"))
	assert.Equal(t, outcome{code: exitMistake, stderr: "no settings are on trial\n"}, try("confirm", "-c", g.file))
	assert.Equal(t, "1", g.metric(t, "trackgate_config_last_reload_successful"))
}

func TestATrialThatGoesWrongEndsByItself(t *testing.T) {
	g := newOperated(t)
	good := g.backend
	for range 5 {
		assert.Equal(t, 200, g.status(t, "POST", "/track"))
	}
	g.rewrite(t, good, "http://"+program.FreeAddress(t))
	assert.Equal(t, exitFine, try("reload", "-c", g.file, "--confirm", "10m").code)
	for range 2 * fewFailures {
		g.status(t, "POST", "/track")
	}
	require.Eventually(t, func() bool { return g.status(t, "POST", "/track") == 200 }, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, g.command.Process.Signal(syscall.SIGTERM))
	require.NoError(t, g.end(t))
	assert.Contains(t, g.output.String(), "requests were answered with a 5xx")
}
