package wirecheck

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// flooded makes slow floods run into deadlines soon. Backends get time: many requests at
// a time, each of which is a good one, may be more than they can do.
func flooded() waits {
	return waits{backends: "{connect: 10s, response: 20s}", clients: "{head: 2s, body: 2s, write: 2s}"}
}

// What a flood may take: memory for each of its connections at the peak, and on top
// what the collector lets lie about before it comes, and what is kept when all is quiet.
const (
	mostPerConnection = 20 * mib
	mostGarbage       = 40 * mib
	mostKept          = 64 * mib
	racedFactor       = 10
)

// floodAll lets clients flood the gate, alone and many at a time, while others go on as
// if nothing was.
func floodAll(t *testing.T, binary string) {
	for name, floods := range map[string][]flood{
		"quick":   append(floodsOf(loadCorpus(t)), quickFloods()...),
		"dear":    dearFloods(),
		"reading": slowReads(),
		"sending": slowSends(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startRecorder(t)
			newShore(t, startGate(t, binary, r, flooded()), r).weather(t, floods)
		})
	}
}

// crowds are how many connections flood at a time. What the race detector has to say
// does not need as many.
func crowds() []int {
	if raced {
		return []int{1, 3}
	}
	return []int{1, 20}
}

// shore is a gate that is flooded, and what is known of it before.
type shore struct {
	gate     gate
	recorder *recorder
	visitors []*visitor
	before   footprint
	calm     []tour // of the visitors
}

func newShore(t *testing.T, g gate, r *recorder) *shore {
	t.Helper()
	s := &shore{gate: g, recorder: r, visitors: []*visitor{newVisitor(t, g, 1), newVisitor(t, g, 2)}}
	s.calm = s.visited(func() { <-time.After(time.Second) })
	s.before = g.measure(t)
	return s
}

// visited returns what visitors saw while something was done.
func (s *shore) visited(do func()) []tour {
	stop := make(chan struct{})
	tours := make([]tour, len(s.visitors))
	var visiting sync.WaitGroup
	for i, v := range s.visitors {
		visiting.Go(func() { tours[i] = v.walk(stop) })
	}
	do()
	close(stop)
	visiting.Wait()
	return tours
}

// weather lets all floods come, one after the other, and sees that nothing is left of
// them.
func (s *shore) weather(t *testing.T, floods []flood) {
	for _, connections := range crowds() {
		for _, f := range floods {
			t.Run(fmt.Sprintf("%s-%d", f.ID, connections), func(t *testing.T) { s.flood(t, f, connections) })
		}
	}
	assert.Eventually(t, func() bool {
		after := s.gate.measure(t)
		return after.files <= s.before.files && after.resident-s.before.resident <= allowed(mostKept)
	}, 30*time.Second, 100*time.Millisecond, "what is left of the floods")
	t.Logf("before %+v, after %+v", s.before, s.gate.measure(t))
}

// allowed is more for a gate with the race detector.
func allowed(bytes int) int {
	if raced {
		return bytes * racedFactor
	}
	return bytes
}

// flood runs one flood on so many connections.
func (s *shore) flood(t *testing.T, f flood, connections int) {
	s.recorder.forget()
	if f.answer != "" {
		s.recorder.play(script{keeps, f.answer})
		defer s.recorder.play(script{})
	}
	start := s.gate.measure(t).resident
	s.gate.newPeak(t)
	outcomes := make([]outcome, connections)
	tours := s.visited(func() { outcomes = f.pour(t, s.gate, connections) })
	for i, o := range outcomes {
		v := judge(f.clientCase, o, record{})
		assert.Empty(t, append(v.fails, v.warns...), "connection %d: %s", i+1, o)
	}
	s.arrivals(t, f, connections)
	s.unharmed(t, tours)
	grown := s.gate.measure(t).peak - start
	assert.LessOrEqual(t, grown, allowed(connections*mostPerConnection+mostGarbage), "memory at the peak")
	t.Logf("peak %+d MiB", grown/mib)
}

// pour sends the flood and returns what came of each connection.
func (f flood) pour(t *testing.T, g gate, connections int) []outcome {
	outcomes, errs := make([]outcome, connections), make([]error, connections)
	var pouring sync.WaitGroup
	for i := range connections {
		pouring.Go(func() {
			conn, err := g.dial(f.clientCase)
			if err == nil {
				outcomes[i], err = converse(conn, f.clientCase, f.patience())
			}
			errs[i] = err
		})
	}
	pouring.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return outcomes
}

// arrivals holds what reached the backend against what may.
func (s *shore) arrivals(t *testing.T, f flood, connections int) {
	t.Helper()
	arrived := s.recorder.seen().without(visitorTarget)
	assert.LessOrEqual(t, len(arrived.requests), connections*f.reach, "requests that reached the backend")
	v := verdict{}
	for _, one := range arrived.requests {
		if one.target != "" {
			v.invariants(one, true)
		}
	}
	assert.Empty(t, v.fails)
	t.Logf("%d requests reached the backend", len(arrived.requests))
}

// unharmed holds that no visitor was sent away or had to come again.
func (s *shore) unharmed(t *testing.T, tours []tour) {
	t.Helper()
	for i, a := range tours {
		assert.Empty(t, a.failed, "visits over HTTP/%d", s.visitors[i].proto)
		t.Logf("over HTTP/%d: %s; before: %s", s.visitors[i].proto, a, s.calm[i])
	}
}
