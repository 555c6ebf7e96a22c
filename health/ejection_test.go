package health

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestABackendThatCannotBeReachedPauses(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		unreachable(c.subjects[0], 2)
		c.hears()
		unreachable(c.subjects[0], 1)
		c.hears("0s A down connect_failed: 3 connections in a row could not be made: connection refused; back in 3s")
		c.wait(3 * time.Second)
		c.hears("3s A up: the pause of 3s is over")
		assert.Equal(t, State{Status: Up, Why: "the pause of 3s is over", Since: c.begin.Add(3 * time.Second)}, c.subjects[0].State())
	})
}

func TestABackendThatDoesNotAnswerPauses(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		for range 3 {
			c.subjects[1].Late(time.Now())
		}
		c.hears("0s B down timeout: 3 answers in a row did not come within the time; back in 3s")
		assert.Equal(t, CauseTimeout, c.subjects[1].State().Cause)
	})
}

func TestFailuresOfBothKindsAddUp(t *testing.T) {
	inCourt(t, 5, watched, func(t *testing.T, c *court) {
		a, b := c.subjects[0], c.subjects[1]
		a.Late(time.Now())
		a.Late(time.Now())
		a.Unreachable(errors.New("i/o timeout"))
		c.hears("0s A down connect_failed: 3 attempts in a row failed: i/o timeout; back in 3s")
		unreachable(b, 1)
		b.Late(time.Now())
		b.Late(time.Now())
		c.hears("0s B down timeout: 3 attempts in a row failed: no answer within the time; back in 3s")
	})
}

func TestAnyAnswerBreaksARowOfFailures(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		for _, status := range []int{200, 404, 500} {
			unreachable(c.subjects[0], 2)
			c.subjects[0].Answer(status, client(0), time.Now())
		}
		unreachable(c.subjects[0], 2)
		c.hears()
		c.subjects[0].Answer(200, client(0), time.Now())
		c.subjects[0].Late(time.Now())
		c.subjects[0].Late(time.Now())
		c.subjects[0].Late(time.Now())
		c.hears("0s A down timeout: 3 answers in a row did not come within the time; back in 3s")
	})
}

func TestPausesGrowUntilABackendBehaves(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		a := c.subjects[0]
		paused := func(calm time.Duration) time.Duration {
			c.wait(calm)
			unreachable(a, 3)
			begin := time.Now()
			for a.State().Status == Down {
				c.wait(time.Second)
			}
			return time.Since(begin)
		}
		var pauses []string
		for range 7 {
			pauses = append(pauses, paused(leastStay).String())
		}
		assert.Equal(t, "3s 6s 12s 24s 48s 1m0s 1m0s", strings.Join(pauses, " "))
		assert.Equal(t, time.Minute, paused(time.Minute-1), "not quite a minute")
		assert.Equal(t, firstPause, paused(time.Minute))
		assert.Equal(t, 2*firstPause, paused(leastStay))
	})
}

func TestWithoutFailuresTheTrafficIsNoJudge(t *testing.T) {
	off := watched
	off.Failures = 0
	inCourt(t, 3, off, func(t *testing.T, c *court) {
		answers(c.subjects[1], 200, 0, 50)
		answers(c.subjects[0], 500, 0, 50)
		unreachable(c.subjects[0], 50)
		c.hears()
	})
}

func TestEjectionsLeaveHalfOfAPool(t *testing.T) {
	for n, want := range map[int]int{1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			inCourt(t, n, watched, func(t *testing.T, c *court) {
				for _, s := range c.subjects {
					unreachable(s, 3)
				}
				down := 0
				for _, s := range c.subjects {
					if s.State().Status == Down {
						down++
					}
				}
				assert.Equal(t, want, down)
			})
		})
	}
}

func TestABackendThatCannotBeSparedGoesLater(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		unreachable(c.subjects[0], 3)
		unreachable(c.subjects[1], 5)
		c.forgets()
		c.wait(3 * time.Second)
		c.hears("3s A up: the pause of 3s is over",
			"3s B down connect_failed: 5 connections in a row could not be made: connection refused; back in 3s")
	})
}

func TestOurOwnWantOfDescriptorsIsNobodysFault(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		for _, errno := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL} {
			for range 10 {
				c.subjects[0].Unreachable(&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", errno)})
			}
		}
		c.hears()
	})
}

func TestAPauseEndsWhenNobodyElseIsUp(t *testing.T) {
	nervous := checked
	nervous.Fall = 1
	inCourt(t, 2, nervous, func(t *testing.T, c *court) {
		c.wait(time.Second)
		unreachable(c.subjects[0], 3)
		c.wait(time.Second)
		c.forgets()
		c.probes(errIll, "B")
		c.subjects[1].Late(time.Now())
		c.hears("2s B down check: 1 check failed: ill", "2s A up: no other backend that takes work is up")
		c.wait(time.Minute)
		c.hears()
	})
}

func TestAPauseEndsWhenTheOthersLeave(t *testing.T) {
	inCourt(t, 2, watched, func(t *testing.T, c *court) {
		unreachable(c.subjects[0], 3)
		c.forgets()
		c.monitor.Remove(c.subjects[1])
		c.hears("0s A up: no other backend that takes work is up")
		unreachable(c.subjects[0], 9)
		c.hears()
	})
}

func TestACheckThatFailsOutlastsThePause(t *testing.T) {
	inCourt(t, 3, checked, func(t *testing.T, c *court) {
		c.wait(time.Second)
		c.forgets()
		c.probes(errIll, "A")
		unreachable(c.subjects[0], 3)
		c.hears("1s A down connect_failed: 3 connections in a row could not be made: connection refused; back in 3s")
		c.wait(time.Second)
		assert.Equal(t, State{Down, CauseCheck, "3 checks failed: ill", c.begin.Add(time.Second)}, c.subjects[0].State())
		c.wait(time.Minute)
		c.hears()
		c.probes(nil, "A")
		c.wait(10 * time.Second)
		assert.Equal(t, "2 checks passed", c.subjects[0].State().Why)
	})
}

func TestAnEjectionIsNotProlongedByLateFailures(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		unreachable(c.subjects[0], 3)
		c.wait(2 * time.Second)
		unreachable(c.subjects[0], 50)
		c.forgets()
		c.wait(time.Second)
		c.hears("3s A up: the pause of 3s is over")
		c.wait(10 * time.Second)
		c.hears()
	})
}

func TestAnUnknownBackendCanPauseToo(t *testing.T) {
	inCourt(t, 2, checked, func(t *testing.T, c *court) {
		block := make(chan struct{})
		c.script("C", func() error { <-block; return nil })
		c.add("C")
		c.wait(time.Second)
		c.forgets()
		unreachable(c.subjects[2], 3)
		c.wait(4 * time.Second)
		c.hears("1s C down connect_failed: 3 connections in a row could not be made: connection refused; back in 3s",
			"4s C unknown: the pause of 3s is over")
		close(block)
		c.hears("5s C up: 1 check passed")
	})
}

func TestWhatIsSaidAfterRemoveIsIgnored(t *testing.T) {
	inCourt(t, 3, watched, func(t *testing.T, c *court) {
		d := c.add("D")
		c.monitor.Remove(d)
		c.monitor.Remove(d)
		unreachable(d, 9)
		d.Late(time.Now())
		answers(c.subjects[0], 200, 0, 20)
		answers(d, 500, 0, 20)
		c.hears()
		unreachable(c.subjects[0], 3)
		unreachable(c.subjects[1], 3)
		assert.Equal(t, Up, c.subjects[1].State().Status, "of three, two stay")
	})
}

// One that came back only because nobody was up goes again as soon as its checks
// have failed, or the gate would try for seconds to reach who is not there.
func TestOneThatCameBackForWantOfOthersGoesWhenItsChecksFail(t *testing.T) {
	inCourt(t, 3, checked, func(t *testing.T, c *court) {
		for range 3 {
			c.subjects[2].Unreachable(errRefused)
		}
		c.probes(errIll, "A", "B")
		c.subjects[0].Unreachable(errRefused) // news that brings their probes forward
		c.subjects[1].Unreachable(errRefused)
		for c.subjects[2].State().Status == Down {
			c.wait(10 * time.Millisecond)
		}
		back := time.Now()
		c.probes(errIll, "C")
		c.subjects[2].Unreachable(errRefused)
		c.wait(time.Second)
		assert.Equal(t, CauseCheck, c.subjects[2].State().Cause)
		assert.Less(t, c.subjects[2].State().Since.Sub(back), time.Second)
	})
}
