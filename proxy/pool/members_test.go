package pool

import (
	"bytes"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/balancer/discovery"
	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
)

const twoNames = `
listeners:
  - {name: public, kind: public, address: ":80", tls: off, hosts: [track.test], pool: p}
pools:
  - name: p
    backends: ["http://10.0.0.1:80", {url: "dns+http://be.test:8080", weight: 2}, "srv+https://_http._tcp.be.test"]
    health: {interval: 0}
    slow_start: 0s
`

// made is a pool with an address, a name and a service, and what it logs. Nobody
// runs it.
func made(t *testing.T) (*Pool, *bytes.Buffer) {
	t.Helper()
	settings, err := configs.Parse("test.yaml", []byte(twoNames), nil)
	require.NoError(t, err)
	var log bytes.Buffer
	return New(settings.Pools[0], Parts{
		Log: zerolog.Logger{}.Output(&log), Metrics: metrics.New(metrics.Build{}),
		TLS: func() *tls.Config { return &tls.Config{} },
	}), &log
}

// resolves lets the entry at i stand for members.
func (p *Pool) resolves(i int, members ...discovery.Member) {
	p.resolved(p.entries[i], discovery.Result{Members: members, Changed: true})
}

func member(addr string) discovery.Member {
	return discovery.Member{Addr: addr, Name: "be.test", Weight: 1}
}

// weights are those of the members by address.
func (p *Pool) weights() map[string]int {
	weights := map[string]int{}
	for _, s := range p.States() {
		weights[s.Backend] = s.Weight
	}
	return weights
}

func TestMembersAreWhatAllEntriesStandFor(t *testing.T) {
	p, log := made(t)
	assert.Equal(t, map[string]int{"10.0.0.1:80": 1}, p.weights(), "before any name is known")

	p.resolves(1, member("10.0.0.2:8080"), member("10.0.0.3:8080"))
	assert.Equal(t, map[string]int{"10.0.0.1:80": 1, "10.0.0.2:8080": 2, "10.0.0.3:8080": 2}, p.weights())
	assert.Contains(t, log.String(), `"backend":"10.0.0.3:8080","message":"backend joined"`)

	p.resolves(1, member("10.0.0.3:8080"))
	assert.Equal(t, map[string]int{"10.0.0.1:80": 1, "10.0.0.3:8080": 2}, p.weights())
	assert.Contains(t, log.String(), `"backend":"10.0.0.2:8080","message":"backend left`)
}

func TestWhoStaysIsTheSameBackend(t *testing.T) {
	p, _ := made(t)
	p.resolves(1, member("10.0.0.2:8080"), member("10.0.0.3:8080"))
	before := p.members[identity{addr: "10.0.0.2:8080", name: "be.test"}]
	require.NotNil(t, before)
	p.resolves(1, member("10.0.0.2:8080"), member("10.0.0.4:8080"))
	assert.Same(t, before, p.members[identity{addr: "10.0.0.2:8080", name: "be.test"}])
}

func TestRecordsOfAServiceDecideWeightAndPriority(t *testing.T) {
	p, _ := made(t)
	one := discovery.Member{Addr: "10.0.0.5:1", Name: "one.test", Weight: 3, Priority: 1}
	p.resolves(2, one)
	assert.Equal(t, 3, p.weights()["10.0.0.5:1"])
	one.Weight = 5
	p.resolves(2, one)
	assert.Equal(t, 5, p.weights()["10.0.0.5:1"])
	one.Priority = 9
	p.resolves(2, one)
	states := p.States()
	assert.Equal(t, "10.0.0.5:1", states[len(states)-1].Backend, "the last priority stands last")
	assert.Equal(t, 9, states[len(states)-1].Priority)
	assert.Equal(t, 2, p.Size())
}

// What an operator has set at run time stays until the settings or the records
// say something new.
func TestAWeightThatWasSetStays(t *testing.T) {
	p, _ := made(t)
	p.resolves(1, member("10.0.0.2:8080"))
	require.NoError(t, p.SetWeight("10.0.0.2:8080", 0))
	p.resolves(1, member("10.0.0.2:8080"), member("10.0.0.3:8080"))
	assert.Equal(t, map[string]int{"10.0.0.1:80": 1, "10.0.0.2:8080": 0, "10.0.0.3:8080": 2}, p.weights())
}

func TestTheCertificateIsForTheNameInTheSettings(t *testing.T) {
	p, _ := made(t)
	p.resolves(2, discovery.Member{Addr: "10.0.0.5:1", Name: "elsewhere.test", Weight: 1})
	b := p.members[identity{addr: "10.0.0.5:1", name: "be.test", secure: true}]
	require.NotNil(t, b)
	assert.Equal(t, "be.test", b.tls().ServerName)
	assert.Nil(t, p.members[identity{addr: "10.0.0.1:80", name: "10.0.0.1"}].tls)
}

func TestTheNameOfTheSettingsGoesBeforeThatOfTheBackend(t *testing.T) {
	p, _ := made(t)
	given := &tls.Config{ServerName: "internal.test"}
	p.parts.TLS = func() *tls.Config { return given }
	assert.Same(t, given, p.named("be.test")())

	given = &tls.Config{}
	named := p.named("be.test")
	first := named()
	assert.Equal(t, "be.test", first.ServerName)
	assert.Same(t, first, named(), "the same as long as nothing changes")
	given = &tls.Config{}
	assert.NotSame(t, first, named())
}

func TestANameThatFailsIsToldOnceAndSoIsItsEnd(t *testing.T) {
	p, log := made(t)
	p.resolves(1, member("10.0.0.2:8080"))
	broken := discovery.Result{Members: p.entries[1].members, Err: errors.New("be.test: no such name")}
	for range 3 {
		p.resolved(p.entries[1], broken)
	}
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("no such name")))
	assert.Equal(t, 2, p.weights()["10.0.0.2:8080"])
	for range 3 {
		p.resolved(p.entries[1], discovery.Result{Members: p.entries[1].members})
	}
	assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("can be looked up again")))
}

func TestMoreThanAPoolTakesIsTold(t *testing.T) {
	p, log := made(t)
	p.resolved(p.entries[1], discovery.Result{Members: []discovery.Member{member("10.0.0.2:8080")}, Dropped: 3000, Changed: true})
	assert.Contains(t, log.String(), `"left_out":3000`)
}

func TestAllPoliciesHaveTheirWord(t *testing.T) {
	assert.Equal(t, balancer.RoundRobin, policyOf(configs.RoundRobin))
	assert.Equal(t, balancer.LeastBusy, policyOf(configs.LeastBusy))
	assert.Equal(t, balancer.TwoChoices, policyOf(configs.TwoChoices))
}

func TestABackendThatLeavesTakesItsSeriesAlong(t *testing.T) {
	p, _ := made(t)
	set := p.parts.Metrics
	p.resolves(1, member("10.0.0.2:8080"))
	before := set.Backend("p", "10.0.0.2:8080")
	p.resolves(1, member("10.0.0.3:8080"))
	assert.NotSame(t, before, set.Backend("p", "10.0.0.2:8080"), "a new series")

	shared := set.Backend("p", "10.0.0.1:80")
	p.resolves(1, member("10.0.0.1:80")) // the address of the first entry
	assert.Same(t, shared, set.Backend("p", "10.0.0.1:80"))
	p.mu.Lock()
	p.reconcile(time.Now())
	p.mu.Unlock()
	assert.Equal(t, map[string]int{"10.0.0.1:80": 1}, p.weights())
}

func TestADrainOutlivesAnotherPriority(t *testing.T) {
	p, _ := made(t)
	at := func(priority int) discovery.Member {
		return discovery.Member{Addr: "10.0.0.9:1", Name: "be.test", Weight: 1, Priority: priority}
	}
	drained := func() map[string]bool {
		all := map[string]bool{}
		for _, s := range p.States() {
			all[s.Backend] = s.Draining
		}
		return all
	}
	p.resolves(2, at(1))
	require.NoError(t, p.Drain("10.0.0.9:1", true))
	p.resolves(2, at(2))
	assert.Equal(t, map[string]bool{"10.0.0.1:80": false, "10.0.0.9:1": true}, drained())
	p.resolves(2)
	p.resolves(2, at(2))
	assert.Equal(t, map[string]bool{"10.0.0.1:80": false, "10.0.0.9:1": false}, drained(), "whoever has the address later is somebody else")
}
