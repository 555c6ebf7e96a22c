package health

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func seconds(list ...float64) (times []time.Duration) {
	for _, s := range list {
		times = append(times, time.Duration(s*float64(time.Second)))
	}
	return times
}

func TestProbesComeAtOnceAndThenEachInterval(t *testing.T) {
	inCourt(t, 0, checked, func(t *testing.T, c *court) {
		c.script("A", func() error { <-time.After(2 * time.Second); return nil }) // the probe takes long
		c.add("A")
		c.wait(16 * time.Second)
		assert.Equal(t, seconds(0, 5, 10, 15), c.asks("A"))
		c.wait(2 * time.Second)
	})
}

func TestIntervalsVaryByATenth(t *testing.T) {
	m := NewMonitor(checked, nil)
	s := m.Add(Target{})
	for spread, want := range map[float64]time.Duration{0.9: 4500 * time.Millisecond, 1.1: 5500 * time.Millisecond} {
		assert.InDelta(t, want, m.pause(s, spread), float64(time.Microsecond))
	}
	m.ups = 0
	assert.LessOrEqual(t, m.pause(s, 1.1), 500*time.Millisecond, "twice a second at least")
	s.soon = true
	assert.Equal(t, 100*time.Millisecond, m.pause(s, 0.9))
}

func TestADeadBackendIsFoundInAFractionOfASecond(t *testing.T) {
	inCourt(t, 2, checked, func(t *testing.T, c *court) {
		c.wait(4 * time.Second)
		c.probes(errIll, "A")
		c.forgets()
		c.wait(2 * time.Second)
		assert.Equal(t, seconds(5, 5.1, 5.2), c.asks("A"))
		c.hears("5.2s A down check: 3 checks failed: ill")
		c.wait(10 * time.Second)
		asked := c.asks("A")
		assert.Equal(t, seconds(6.2, 7.2), asked[:2], "missed, but no hurry once it is known")
		assert.Len(t, asked, 10)
	})
}

// What a client may provoke counts for nothing, but a probe knows better.
func TestADoubtBringsTheProbeForwardAndCountsForNothing(t *testing.T) {
	inCourt(t, 3, checked, func(t *testing.T, c *court) {
		c.wait(2 * time.Second)
		c.forgets()
		for range 50 {
			c.subjects[0].Doubt()
		}
		c.wait(time.Second)
		asked := c.asks("A")
		assert.Equal(t, 2*time.Second, asked[0])
		assert.LessOrEqual(t, len(asked), 2, "one more if a doubt came while it was asked")
		c.hears()
		c.probes(errIll, "A")
		c.subjects[0].Doubt()
		c.wait(time.Second)
		c.hears("3.2s A down check: 3 checks failed: ill")
	})
}

func TestNewsOfAFailureBringTheProbeForward(t *testing.T) {
	inCourt(t, 3, checked, func(t *testing.T, c *court) {
		c.wait(2 * time.Second)
		c.forgets()
		unreachable(c.subjects[0], 1)
		c.subjects[1].Late(time.Now())
		c.wait(2 * time.Second)
		assert.Equal(t, seconds(2), c.asks("A"))
		assert.Equal(t, seconds(2), c.asks("B"))
		assert.Empty(t, c.asks("C"))
		c.wait(4 * time.Second)
		assert.Equal(t, seconds(7), c.asks("A"))
	})
}

func TestAFloodOfNewsIsNoFloodOfProbes(t *testing.T) {
	inCourt(t, 1, checked, func(t *testing.T, c *court) {
		for range 1000 {
			unreachable(c.subjects[0], 1)
			c.wait(time.Millisecond)
		}
		assert.Equal(t, seconds(0, .1, .2, .3, .4, .5, .6, .7, .8, .9, 1), c.asks("A"))
	})
}

func TestNewsDoNotSlowDownAShortInterval(t *testing.T) {
	quick := checked
	quick.Interval = 30 * time.Millisecond
	inCourt(t, 1, quick, func(t *testing.T, c *court) {
		unreachable(c.subjects[0], 1)
		c.wait(70 * time.Millisecond)
		assert.Equal(t, seconds(0, .03, .06), c.asks("A"))
	})
}

func TestTheFirstVerdictIsNotDelayed(t *testing.T) {
	inCourt(t, 0, checked, func(t *testing.T, c *court) {
		c.probes(errIll, "B")
		c.add("A")
		assert.Equal(t, State{Why: "not checked yet", Since: c.begin}, c.add("B").State())
		c.wait(time.Second)
		c.hears("0s A up: 1 check passed", "200ms B down check: 3 checks failed: ill")
	})
}

func TestBackendsAreAskedOftenWhileNoneIsUp(t *testing.T) {
	inCourt(t, 0, checked, func(t *testing.T, c *court) {
		c.probes(errIll, "A", "B")
		c.add("A")
		c.add("B")
		c.wait(2 * time.Second)
		c.forgets()
		c.wait(10 * time.Second)
		for _, owner := range []string{"A", "B"} {
			asked := c.asks(owner)
			require.Greater(t, len(asked), 19)
			for i := range asked[1:] {
				assert.LessOrEqual(t, asked[i+1]-asked[i], time.Second/2)
			}
		}
	})
}

func TestOneGoodProbeIsEnoughWhenNobodyIsUp(t *testing.T) {
	inCourt(t, 0, checked, func(t *testing.T, c *court) {
		c.probes(errIll, "A", "B")
		c.add("A")
		c.wait(100 * time.Millisecond)
		c.add("B")
		c.wait(400 * time.Millisecond)
		c.forgets()
		c.probes(nil, "B")
		c.wait(time.Second)
		c.hears("750ms B up: 1 check passed")
		c.probes(nil, "A")
		c.wait(time.Minute)
		c.hears("3.2s A up: 2 checks passed")
		assert.Equal(t, seconds(.65, 1.1, 2.1, 2.2), c.asks("A")[:4], "every second while it is down, and again at once when it passes")
	})
}

func TestAShortIntervalStaysSoWhenNobodyIsUp(t *testing.T) {
	quick := checked
	quick.Interval = 200 * time.Millisecond
	inCourt(t, 0, quick, func(t *testing.T, c *court) {
		c.probes(errIll, "A")
		c.add("A")
		c.wait(900 * time.Millisecond)
		assert.Equal(t, seconds(0, .1, .2, .4, .6, .8), c.asks("A"))
	})
}

func TestAFlappingBackendChangesEveryThreeSecondsAtMost(t *testing.T) {
	nervous := checked
	nervous.Interval, nervous.Rise, nervous.Fall = 100*time.Millisecond, 1, 1
	inCourt(t, 2, nervous, func(t *testing.T, c *court) {
		c.script("A", func() error {
			if time.Since(c.begin)/(300*time.Millisecond)%2 == 1 {
				return errIll
			}
			return nil
		})
		var turns []time.Time
		for status := Up; time.Since(c.begin) < time.Minute; c.wait(10 * time.Millisecond) {
			if now := c.subjects[0].State().Status; now != status && time.Since(c.begin) > 0 {
				turns, status = append(turns, time.Now()), now
			}
		}
		require.Greater(t, len(turns), 5)
		for i := range turns[1:] {
			assert.GreaterOrEqual(t, turns[i+1].Sub(turns[i]), leastStay)
		}
	})
}

func TestAVerdictThatCameTooEarlyIsCarriedOutIfItHolds(t *testing.T) {
	nervous := checked
	nervous.Interval, nervous.Rise, nervous.Fall = time.Second, 1, 1
	inCourt(t, 2, nervous, func(t *testing.T, c *court) {
		c.wait(500 * time.Millisecond)
		c.forgets()
		c.probes(errIll, "A")
		c.wait(time.Second)
		c.probes(nil, "A")
		c.wait(2400 * time.Millisecond)
		c.hears("1s A down check: 1 check failed: ill")
		c.wait(200 * time.Millisecond)
		c.hears("4s A up: 1 check passed")

		c.probes(errIll, "A") // but well again before the time is over
		c.wait(1500 * time.Millisecond)
		c.probes(nil, "A")
		c.wait(10 * time.Second)
		c.hears()
	})
}

func TestABackendThatOnlyHasToStayIsAskedOften(t *testing.T) {
	nervous := checked
	nervous.Rise, nervous.Fall = 1, 1
	inCourt(t, 2, nervous, func(t *testing.T, c *court) {
		c.probes(errIll, "A")
		c.wait(6 * time.Second)
		c.probes(nil, "A")
		c.wait(4 * time.Second) // back at 8 s
		c.probes(errIll, "A")
		c.subjects[0].Late(time.Now())
		c.forgets()
		c.wait(450 * time.Millisecond)
		assert.Equal(t, seconds(10.1, 10.2, 10.3, 10.4), c.asks("A"), "it may be well again when its time is over")
		c.wait(2 * time.Second)
		c.hears("11s A down check: 1 check failed: ill")
	})
}

func TestABackendThatIsNeededComesBackAtOnce(t *testing.T) {
	nervous := checked
	nervous.Interval, nervous.Rise, nervous.Fall = time.Second, 1, 1
	inCourt(t, 2, nervous, func(t *testing.T, c *court) {
		c.wait(500 * time.Millisecond)
		c.forgets()
		c.probes(errIll, "A")
		c.wait(time.Second)
		c.probes(nil, "A")
		c.wait(time.Second)
		c.hears("1s A down check: 1 check failed: ill") // and would have to stay for another second and a half
		c.probes(errIll, "B")
		c.subjects[1].Late(time.Now())
		c.hears("2.5s B down check: 1 check failed: ill", "2.5s A up: 1 check passed")
	})
}

func TestABackendThatFlapsFromProbeToProbeIsToldOnce(t *testing.T) {
	inCourt(t, 1, checked, func(t *testing.T, c *court) {
		n := 0
		c.script("A", func() error {
			if n++; n%2 == 0 {
				return errIll
			}
			return nil
		})
		c.wait(10 * time.Minute)
		assert.Greater(t, len(c.asks("A")), 100)
		c.hears("0s A up: 1 check passed")
	})
}

func TestABackendThatJoinsIsCheckedAtOnce(t *testing.T) {
	inCourt(t, 1, checked, func(t *testing.T, c *court) {
		c.wait(7 * time.Second)
		c.forgets()
		b := c.add("B")
		assert.Equal(t, "B", b.Owner)
		assert.Equal(t, State{Why: "not checked yet", Since: time.Now()}, b.State())
		c.hears("7s B up: 1 check passed")
	})
}

func TestABackendThatLeftIsNotAskedAndNotSpokenOf(t *testing.T) {
	inCourt(t, 2, checked, func(t *testing.T, c *court) {
		c.wait(time.Second)
		c.script("A", func() error { <-time.After(time.Second); return errIll })
		c.wait(5 * time.Second) // in the middle of a probe
		c.forgets()
		c.monitor.Remove(c.subjects[0])
		c.wait(time.Minute)
		assert.Empty(t, c.asks("A"))
		assert.NotEmpty(t, c.asks("B"))
		c.hears()
	})
}

func TestABackendThatLeavesBeforeItsCheckBeginsIsNeverAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, checked)
		c.monitor.Remove(c.add("A"))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		c.monitor.Run(ctx)
		assert.Empty(t, c.asks("A"))
	})
}

func TestAProbeThatTheEndCutsShortSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		strict := checked
		strict.Fall = 1
		c := newCourt(t, strict)
		c.monitor.question = func(Target) func(context.Context) error {
			return func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		}
		s := c.add("A")
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		c.monitor.Run(ctx)
		c.hears()
		assert.Equal(t, Unknown, s.State().Status)
	})
}

func TestWithoutIntervalNobodyIsAskedAndAllAreUp(t *testing.T) {
	inCourt(t, 2, watched, func(t *testing.T, c *court) {
		c.probes(errIll, "A", "B")
		c.wait(time.Hour)
		assert.Empty(t, c.asks("A"))
		assert.Equal(t, State{Status: Up, Why: "no active checks", Since: c.begin}, c.subjects[0].State())
		c.hears()
	})
}

// A gate that has run out of file descriptors must not find its backends down.
func TestProbesThatGetNoDescriptorDoNotCount(t *testing.T) {
	nervous := checked
	nervous.Fall = 1
	inCourt(t, 1, nervous, func(t *testing.T, c *court) {
		for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL} {
			c.probes(&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", errno)}, "A")
			c.wait(10 * time.Second)
		}
		c.probes(errors.New("no"), "A")
		c.forgets()
		c.wait(5 * time.Second)
		c.hears("35s A down check: 1 check failed: no")
	})
}

func TestTheEndOfRunIsTheEndOfAllChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCourt(t, checked)
		for _, owner := range []string{"A", "B", "C"} {
			c.add(owner)
		}
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { c.monitor.Run(ctx) })
		c.wait(time.Second)
		cancel()
		running.Wait() // and the bubble ends without any goroutine left
		c.forgets()
		c.add("D")
		c.wait(time.Minute)
		assert.Empty(t, c.asks("D"))
	})
}
