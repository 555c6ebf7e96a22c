package access

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// comes returns how many of so many visits at one moment are allowed.
func comes(p *Pace, addr string, times int, now time.Time) (allowed int) {
	for range times {
		if p.Allow(netip.MustParseAddr(addr), now) {
			allowed++
		}
	}
	return allowed
}

func TestAClientHasABurstAndThenItsRate(t *testing.T) {
	now := time.Now()
	p := NewPace(50, now)
	require.Equal(t, 200, comes(p, "192.0.2.1", 1000, now))
	require.Equal(t, 0, comes(p, "192.0.2.1", 10, now.Add(19*time.Millisecond)))
	require.Equal(t, 1, comes(p, "192.0.2.1", 10, now.Add(20*time.Millisecond)))
	require.Equal(t, 50, comes(p, "192.0.2.1", 1000, now.Add(1020*time.Millisecond)))
	require.Equal(t, 200, comes(p, "192.0.2.1", 1000, now.Add(time.Minute)), "as good as new")
}

// Whoever is refused does not have to be silent to be let in again.
func TestRefusedVisitsDoNotCount(t *testing.T) {
	now := time.Now()
	p := NewPace(10, now)
	total := 0
	for i := range 10_000 { // ten seconds, 1000 a second
		total += comes(p, "192.0.2.1", 1, now.Add(time.Duration(i)*time.Millisecond))
	}
	require.InDelta(t, 40+100, total, 1)
}

func TestClientsDoNotShareTheirPace(t *testing.T) {
	now := time.Now()
	p := NewPace(1, now)
	for _, row := range []struct {
		addr string
		want int
	}{
		{"192.0.2.1", 4},
		{"192.0.2.2", 4},
		{"::ffff:192.0.2.1", 0}, // the first again
		{"2001:db8::1", 4},
		{"2001:db8::ffff:1", 0}, // of the same /64
		{"2001:db8:0:1::1", 4},
	} {
		require.Equal(t, row.want, comes(p, row.addr, 10, now), row.addr)
	}
}

func TestNoRateIsNoLimit(t *testing.T) {
	now := time.Now()
	p := NewPace(0, now)
	require.Equal(t, 10_000, comes(p, "192.0.2.1", 10_000, now))
	p.SetRate(1)
	require.Equal(t, 4, comes(p, "192.0.2.1", 10, now))
}

// Time that goes back, as it may between two goroutines, gives nothing away.
func TestTimeMayGoBackALittle(t *testing.T) {
	now := time.Now()
	p := NewPace(1, now.Add(time.Second))
	require.Equal(t, 4, comes(p, "192.0.2.1", 10, now.Add(time.Second)))
	require.Equal(t, 0, comes(p, "192.0.2.1", 10, now))
}

func TestThePaceForgetsAndIsBounded(t *testing.T) {
	now := time.Now()
	p := NewPace(1, now)
	remembered := func() (n int) {
		for i := range p.shards {
			n += len(p.shards[i].young) + len(p.shards[i].old)
		}
		return n
	}
	addr := netip.MustParseAddr("10.0.0.0")
	for range 4 * shards * maxPaced {
		p.Allow(addr, now)
		addr = addr.Next()
	}
	require.LessOrEqual(t, remembered(), 2*shards*maxPaced)

	for range 2 {
		now = now.Add(paceBurst * time.Second)
		for range shards * 100 { // so that each shard is asked
			p.Allow(addr, now)
			addr = addr.Next()
		}
	}
	require.LessOrEqual(t, remembered(), 2*shards*100)
}

func TestTheTurnOfTimeForgetsNobodyTooEarly(t *testing.T) {
	now := time.Now()
	p := NewPace(10, now)
	total := 0
	for i := range 600 { // a minute, ten times the rate
		total += comes(p, "192.0.2.1", 10, now.Add(time.Duration(i)*100*time.Millisecond))
	}
	require.InDelta(t, 40+600, total, 10)
}

func BenchmarkPace(b *testing.B) {
	now := time.Now()
	p, addr := NewPace(1_000_000, now), netip.MustParseAddr("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		p.Allow(addr, now)
	}
}
