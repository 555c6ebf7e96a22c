package main

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// handshakes counts what a gate has seen.
type handshakes struct{ full, resumed atomic.Int64 }

func (h *handshakes) count(c *tls.Config) {
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if state.DidResume {
			h.resumed.Add(1)
		} else {
			h.full.Add(1)
		}
		return nil
	}
}

// ofH2load reports whether h2load plays the scenario.
func ofH2load(scenario string) bool {
	return slices.Contains([]string{scenarioH2Shared, scenarioH2Single, scenarioH2Paired}, scenario)
}

// needsItsTools skips the test when the scenario needs h2load and there is none.
func needsItsTools(t *testing.T, scenario string) {
	t.Helper()
	if _, err := findH2load(); err != nil && ofH2load(scenario) {
		t.Skip(err)
	}
}

func TestPlays(t *testing.T) {
	for _, row := range []struct {
		scenario      string
		done          int
		full, resumed int64
	}{
		{scenarioKeepAlive, 20, 4, 0},
		{scenarioVisit, 20, 4*warmUps + 20, 0},
		{scenarioResumed, 20, 4*warmUps + 4, 20},
		{scenarioIdle, 4, 4, 0},
		{scenarioH2Shared, 20, 4 + 4, 0},
		{scenarioH2Single, 20, 4 + 4, 0},
		{scenarioH2Paired, 20, 4 + 4, 0},
		{scenarioH2Idle, 4, 4, 0},
	} {
		t.Run(row.scenario, func(t *testing.T) {
			needsItsTools(t, row.scenario)
			var seen handshakes
			o := order{scenario: row.scenario, gate: testGate(t, "200 OK", seen.count), connections: 4, streams: 2, requests: 20}
			p, err := plays()[row.scenario](t.Context(), o)
			require.NoError(t, err)
			defer p.end()

			done, err := p.work(t.Context())

			require.NoError(t, err)
			assert.Equal(t, row.done, done)
			assert.Equal(t, row.full, seen.full.Load(), "full handshakes")
			assert.Equal(t, row.resumed, seen.resumed.Load(), "resumed handshakes")
		})
	}
}

func TestPlaysFailWhenAnAnswerIsNotThe200(t *testing.T) {
	for name, open := range plays() {
		t.Run(name, func(t *testing.T) {
			needsItsTools(t, name)
			fails := "answer: status 502 with 258 bytes, wanted 200 with 258"
			if ofH2load(name) {
				fails = "failed:20 errored:0 late:0}, with answers {ok:0 moved:0 refused:0 broken:20}"
			}
			o := order{scenario: name, gate: testGate(t, "502 Bad Gateway", func(*tls.Config) {}), connections: 2, streams: 2, requests: 4}

			_, err := open(t.Context(), o)

			assert.ErrorContains(t, err, fails)
		})
	}
}

func TestResumedFailsWithoutTickets(t *testing.T) {
	without := func(c *tls.Config) { c.SessionTicketsDisabled = true }
	p, err := openResumed(t.Context(), order{gate: testGate(t, "200 OK", without), connections: 2, requests: 4})
	require.NoError(t, err)

	_, err = p.work(t.Context())

	assert.EqualError(t, err, "the session was not resumed")
}

func TestIdleFailsWhenAConnectionWasNotKept(t *testing.T) {
	for name, open := range map[string]opening{scenarioIdle: openIdle, scenarioH2Idle: openH2Idle} {
		t.Run(name, func(t *testing.T) {
			p, err := open(t.Context(), order{gate: testGate(t, "200 OK", func(*tls.Config) {}), connections: 3})
			require.NoError(t, err)
			defer p.end()
			require.NoError(t, p.(idle).clients[1].close())

			_, err = p.work(t.Context())

			assert.ErrorContains(t, err, "request: ")
		})
	}
}

func TestInParallelCallsEveryIndexOnce(t *testing.T) {
	var calls [100]atomic.Int64

	err := inParallel(7, len(calls), func(worker, i int) error {
		if worker < 0 || worker >= 7 {
			t.Errorf("worker %d", worker)
		}
		calls[i].Add(1)
		return nil
	})

	require.NoError(t, err)
	for i := range calls {
		assert.Equal(t, int64(1), calls[i].Load(), "index %d", i)
	}
}

func TestInParallelStopsAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	var calls atomic.Int64

	err := inParallel(2, 1_000_000, func(_, i int) error {
		calls.Add(1)
		if i == 10 {
			return broken
		}
		return nil
	})

	assert.Equal(t, broken, err)
	assert.Less(t, calls.Load(), int64(1_000_000))
}

func TestSourceAddressesAreManyAndNeverTheProxysOwn(t *testing.T) {
	seen := map[byte]bool{}
	for i := range 5000 {
		seen[sourceAddress(i)] = true
	}

	assert.Len(t, seen, 200)
	assert.False(t, seen[0] || seen[1] || seen[255])
}

func TestConnectEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := testGate(t, "200 OK", func(*tls.Config) {}).connect(ctx, 2, nil)

	assert.ErrorIs(t, err, context.Canceled)
}
