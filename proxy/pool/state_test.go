package pool

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/balancer"
)

func TestAStateSaysItInWords(t *testing.T) {
	s := State{Backend: "10.0.0.1:80", State: "up", Why: "2 checks passed", Weight: 3}
	assert.Equal(t, "10.0.0.1:80 (weight 3): up, 2 checks passed", s.String())
	s.Draining = true
	assert.Equal(t, "10.0.0.1:80 (weight 3): up, 2 checks passed, draining", s.String())
	s = State{Backend: "10.0.0.1:80", State: "up", Why: "2 checks passed", Weight: 3, Full: true, Running: 50, Spare: true, Priority: 2}
	assert.Equal(t, "10.0.0.1:80 (weight 3): up, 2 checks passed, full with 50 attempts, spare of priority 2", s.String())
}

func TestWhoTakesWork(t *testing.T) {
	for state, want := range map[State]bool{
		{State: "up", Weight: 1}:                 true,
		{State: "unknown", Weight: 1}:            true,
		{State: "down", Weight: 1}:               false,
		{State: "up", Weight: 0}:                 false,
		{State: "up", Weight: 1, Draining: true}: false,
	} {
		assert.Equal(t, want, state.TakesWork(), "%+v", state)
	}
}

func TestABackendIsChangedByItsAddress(t *testing.T) {
	p, _ := made(t)
	assert.NoError(t, p.Drain("10.0.0.1:80", true))
	assert.True(t, p.States()[0].Draining)
	assert.NoError(t, p.Drain("10.0.0.1:80", false))
	assert.False(t, p.States()[0].Draining)
	assert.EqualError(t, p.Drain("10.0.0.1:81", true), "pool p has no backend 10.0.0.1:81")
	assert.Error(t, p.SetWeight("", 1))
}

// drained are the backends that take no new work.
func (p *Pool) drained() (addrs []string) {
	for _, s := range p.States() {
		if s.Draining {
			addrs = append(addrs, s.Backend)
		}
	}
	return addrs
}

func TestWhatOperatorsHaveDrainedIsTakenOver(t *testing.T) {
	old, _ := made(t)
	old.resolves(1, member("10.0.0.2:8080"), member("10.0.0.3:8080"))
	assert.Empty(t, old.Drained())
	for _, addr := range []string{"10.0.0.3:8080", "10.0.0.1:80"} {
		require.NoError(t, old.Drain(addr, true))
	}
	assert.Equal(t, []string{"10.0.0.1:80", "10.0.0.3:8080"}, old.Drained())

	p, _ := made(t)
	p.Inherit(old.Drained())
	assert.Equal(t, []string{"10.0.0.1:80"}, p.drained(), "at once")
	assert.Equal(t, old.Drained(), p.Drained(), "the next one has to know of those as well that are not found yet")
	p.resolves(1, member("10.0.0.2:8080"), member("10.0.0.3:8080"))
	assert.Equal(t, []string{"10.0.0.1:80", "10.0.0.3:8080"}, p.drained())

	require.NoError(t, p.Drain("10.0.0.3:8080", false))
	assert.Equal(t, []string{"10.0.0.1:80"}, p.Drained())
	p.resolves(1, member("10.0.0.2:8080"))
	p.resolves(1, member("10.0.0.2:8080"), member("10.0.0.3:8080"))
	assert.Equal(t, []string{"10.0.0.1:80"}, p.drained(), "it may be another one with that address")
}

func TestThePoolNamesWhoIsNextAndClaimsNobody(t *testing.T) {
	p, _ := made(t)
	next, err := p.Next()
	require.NoError(t, err)
	assert.Zero(t, p.balance.Running())
	assert.Zero(t, p.Waiting())
	b, err := p.Claim(nil)
	require.NoError(t, err)
	assert.Equal(t, b.Addr, next)
	for _, s := range p.States() {
		assert.NoError(t, p.Drain(s.Backend, true))
	}
	_, err = p.Next()
	assert.Equal(t, balancer.ErrNone, err)
}
