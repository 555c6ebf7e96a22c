package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testOptions let a bench run on whatever core there is.
func testOptions(t *testing.T) options {
	t.Helper()
	core := someCore(t)
	return options{proxyCore: core, loadCore: core, verbose: true}
}

// testPlan is every scenario that can be played here, tiny.
func testPlan() []scenario {
	plan := scenarios(true)
	if _, err := findH2load(); err != nil {
		plan = slices.DeleteFunc(plan, scenario.overHTTP2)
	}
	for i := range plan {
		plan[i].rounds, plan[i].connections, plan[i].settle = 1, 4, 50*time.Millisecond
		plan[i].requests = min(plan[i].requests, 40)
	}
	return plan
}

// nothingLeft checks that a run has cleaned up.
func nothingLeft(t *testing.T, temporary string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(temporary, "*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	pids, err := tree(os.Getpid())
	require.NoError(t, err)
	assert.Equal(t, []int{os.Getpid()}, pids)
}

func TestMeasurePlaysEverythingAndCleansUp(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	field := []contender{standIn(t, "trackgate", "log", "policy"), standIn(t, "nginx", "log", "policy")}
	var notes bytes.Buffer

	r, err := measure(t.Context(), testOptions(t), testPlan(), field, streams{err: &notes})

	require.NoError(t, err, notes.String())
	require.Len(t, r.Scenarios, len(testPlan()))
	for _, o := range r.Scenarios {
		for _, name := range []string{"trackgate", "nginx"} {
			assert.Len(t, o.Proxies[name].Rounds, 1, o.Name)
			assert.True(t, o.Unit == unitMemory || o.Proxies[name].Median > 1, "%s %s: %v", o.Name, name, o.Proxies[name])
		}
	}
	assert.Contains(t, notes.String(), "trackgate listens on 127.0.0.1:")
	nothingLeft(t, temporary)
}

func TestMeasureRefusesAProxyThatDoesNotDoTheWork(t *testing.T) {
	for _, row := range []struct {
		name   string
		habits []string
		fails  string
	}{
		{"lets everything pass", []string{"log"}, "GET /track: answered 200, wanted 404 or 405"},
		{"logs nothing", []string{"policy"}, "nginx: 0 lines in the access log after "},
	} {
		t.Run(row.name, func(t *testing.T) {
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)

			_, err := measure(t.Context(), testOptions(t), testPlan()[:1], []contender{standIn(t, "nginx", row.habits...)}, streams{err: io.Discard})

			assert.ErrorContains(t, err, "keepalive: ")
			assert.ErrorContains(t, err, row.fails)
			nothingLeft(t, temporary)
		})
	}
}

func TestMeasureSaysWhyAProxyDoesNotStart(t *testing.T) {
	c := standIn(t, "nginx")
	c.settings = "{{.Address}} /nowhere.crt /nowhere.key"

	_, err := measure(t.Context(), testOptions(t), testPlan()[:1], []contender{c}, streams{err: io.Discard})

	assert.ErrorContains(t, err, "nginx: has ended: exit status 2")
	assert.ErrorContains(t, err, "open /nowhere.crt: no such file or directory")
}

func TestMeasureEndsWithItsContext(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := measure(ctx, testOptions(t), testPlan(), []contender{standIn(t, "nginx", "log", "policy")}, streams{err: io.Discard})

	require.Error(t, err)
	nothingLeft(t, temporary)
}

func TestTalkTellsWhatTheLoadSaid(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)

	_, err = startTalk(t.Context(), []string{self, "load", "-certificate", "/nowhere.crt"}, someCore(t))

	assert.ErrorContains(t, err, "load: trackbench: certificate: open /nowhere.crt")
}

func TestRealPeersPlay(t *testing.T) {
	var field []contender
	for _, c := range []contender{nginx(), haproxy()} {
		found, err := c.find()
		if err != nil {
			t.Skip(err)
		}
		field = append(field, found)
	}
	plan := slices.DeleteFunc(testPlan(), func(s scenario) bool {
		return !slices.Contains([]string{scenarioIdle, scenarioH2Shared, scenarioH2Idle}, s.name)
	})
	var notes, table bytes.Buffer

	r, err := measure(t.Context(), testOptions(t), plan, field, streams{err: &notes})

	require.NoError(t, err, notes.String())
	require.NoError(t, r.writeTable(&table))
	assert.Contains(t, r.Proxies["nginx"], "nginx")
	assert.Contains(t, r.Proxies["haproxy"], "HAProxy")
}
