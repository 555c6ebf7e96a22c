package health

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// inquest lets anything happen to a Monitor, in any order and at any distance,
// and holds all that it tells against what may not be.
type inquest struct {
	*testing.T
	m       *Monitor
	now     time.Time
	members []*Subject
	facts   map[*Subject]*fact
	nobody  bool // was up and took work at some moment of this step
	ejected int
}

// fact is what was told of a backend.
type fact struct {
	up       bool
	idle     bool
	turned   time.Time     // zero: never
	relieved bool          // it came back as nobody was up
	pause    time.Duration // of the last ejection
	until    time.Time     // of it
}

const mostMembers = 7

func newInquest(t *testing.T, members int) *inquest {
	q := &inquest{T: t, facts: map[*Subject]*fact{}}
	q.m = NewMonitor(configs.Health{Path: "/", Interval: time.Second, Rise: 2, Fall: 3, Failures: 3}, q.changed)
	q.now = q.m.renewed
	for range members {
		q.join()
	}
	return q
}

func (q *inquest) join() {
	s := q.m.Add(Target{})
	q.members = append(q.members, s)
	q.facts[s] = &fact{up: true}
}

func (q *inquest) leave(i int) {
	s := q.members[i]
	q.members = append(q.members[:i:i], q.members[i+1:]...)
	q.nobody = q.nobody || q.ups() == 0
	q.m.remove(s, q.now)
}

// idle lets a backend take no work, or do so again, in which case nobody may have
// been up just before.
func (q *inquest) idle(s *Subject, idle bool) {
	q.facts[s].idle = idle
	q.nobody = q.nobody || q.ups() == 0
	q.m.setIdle(s, idle, q.now)
}

// working is how many take work, ups how many of them are up.
func (q *inquest) working() int { return q.number(func(f *fact) bool { return !f.idle }) }
func (q *inquest) ups() int     { return q.number(func(f *fact) bool { return !f.idle && f.up }) }

func (q *inquest) number(which func(*fact) bool) (n int) {
	for _, s := range q.members {
		if which(q.facts[s]) {
			n++
		}
	}
	return n
}

// changed judges every word of the Monitor.
func (q *inquest) changed(s *Subject, is State) {
	f := q.facts[s]
	require.Contains(q, q.members, s, "told of one that left")
	require.NotEmpty(q, is.Why)
	up := is.Status != Down
	if up == f.up { // not unknown any more
		require.Equal(q, Up, is.Status)
		return
	}
	before := q.ups()
	if !f.turned.IsZero() && q.now.Sub(f.turned) < 3*time.Second {
		require.True(q, up && q.nobody && !f.idle || f.relieved && is.Cause == CauseCheck, "a change after %s: %v", q.now.Sub(f.turned), is)
	}
	if is.Cause == CauseConnectFailed || is.Cause == CauseTimeout || is.Cause == CauseErrors {
		q.ejected++
		require.True(q, f.idle || 2*(before-1) >= q.working(), "half of %d must stay: %v", q.working(), is)
		q.judgePause(f, is)
	}
	if up && q.now.Before(f.until) {
		require.True(q, q.nobody && !f.idle, "back before its time: %v", is)
	}
	f.up, f.turned, f.relieved = up, q.now, up && q.nobody && !f.idle
	q.nobody = q.nobody || q.ups() == 0
}

// judgePause expects pauses of 3 s, twice as long each time, of a minute at most.
func (q *inquest) judgePause(f *fact, is State) {
	if q.now.Sub(f.turned) >= time.Minute {
		f.pause = 0
	}
	f.pause = max(3*time.Second, min(2*f.pause, time.Minute))
	f.until = q.now.Add(f.pause)
	require.True(q, strings.HasSuffix(is.Why, fmt.Sprintf("; back in %s", f.pause)), is.Why)
}

// pass lets time pass, as Run sees it.
func (q *inquest) pass(d time.Duration) {
	end := q.now.Add(d)
	for {
		q.m.mu.Lock()
		next := q.m.next(q.now)
		q.m.mu.Unlock()
		require.True(q, next.After(q.now), "time stands still")
		if next.After(end) {
			q.now = end
			return
		}
		q.now, q.nobody = next, false
		q.m.mu.Lock()
		q.m.catchUp(q.now)
		q.m.mu.Unlock()
	}
}

// step does what two bytes say.
func (q *inquest) step(what, with byte) {
	q.nobody = q.ups() == 0
	if len(q.members) == 0 {
		q.join()
		return
	}
	i := int(with) % len(q.members)
	s := q.members[i]
	switch what % 13 {
	case 0, 1:
		q.m.probed(s, nil, q.now)
	case 2, 3:
		q.m.probed(s, errIll, q.now)
	case 4:
		q.m.failedAttempt(s, CauseConnectFailed, errRefused, q.now)
	case 5:
		q.m.failedAttempt(s, CauseTimeout, nil, q.now)
	case 6, 7:
		if s.note(int(what&1)*300+200, client(int(with)/8), q.now) {
			q.m.failedClient(s, q.now)
		}
	case 8:
		q.pass(time.Duration(with) * 10 * time.Millisecond)
	case 9:
		q.pass(time.Duration(with) * 300 * time.Millisecond)
	case 10:
		if len(q.members) < mostMembers {
			q.join()
		}
	case 11:
		q.leave(i)
	case 12:
		q.idle(s, with >= 128)
	}
}

// check is what must be true at any time.
func (q *inquest) check() {
	require.Equal(q, q.ups(), q.m.ups)
	require.Equal(q, q.working(), q.m.working)
	for _, s := range q.members {
		is := s.State()
		require.Equal(q, q.facts[s].up, is.Status != Down)
		require.Equal(q, is.Status == Down, is.Cause != CauseNone)
		if q.ups() == 0 && !s.idle {
			require.Equal(q, CauseCheck, is.Cause, "nobody is up, but this one: %v", is)
		}
	}
}

// end lets everything calm down: then only checks keep a backend down.
func (q *inquest) end() {
	for _, s := range q.members {
		s.note(200, client(0), q.now)
		q.nobody = q.ups() == 0
		q.m.probed(s, nil, q.now)
	}
	q.pass(2 * time.Minute)
	q.check()
	for _, s := range q.members {
		require.Equal(q, s.tally.status != Down, q.facts[s].up)
	}
}

// run does all steps and returns how many ejections there were.
func (q *inquest) run(steps []byte) int {
	for i := 0; i+1 < len(steps); i += 2 {
		q.step(steps[i], steps[i+1])
		q.check()
	}
	q.end()
	return q.ejected
}

func TestNothingThatHappensBreaksTheRules(t *testing.T) {
	chance := rand.New(rand.NewPCG(6, 12))
	ejected := 0
	for range 150 {
		steps := make([]byte, 600)
		for i := range steps {
			steps[i] = byte(chance.Uint32())
		}
		ejected += newInquest(t, chance.IntN(mostMembers)).run(steps)
	}
	assert.Greater(t, ejected, 100, "otherwise nothing was tried")
}

func FuzzRules(f *testing.F) {
	f.Add(byte(2), []byte{4, 0, 4, 0, 4, 0, 8, 255, 2, 1, 2, 1, 2, 1})
	f.Add(byte(3), []byte{4, 0, 4, 0, 4, 0, 9, 10, 5, 0, 5, 0, 5, 0, 9, 200, 11, 1, 11, 0})
	f.Add(byte(1), []byte{2, 0, 2, 0, 2, 0, 0, 0, 10, 0, 3, 0, 3, 0, 3, 0, 8, 1})
	f.Add(byte(2), []byte{12, 129, 5, 0, 5, 0, 5, 0, 2, 0, 2, 0, 2, 0, 0, 0, 12, 128, 12, 1, 5, 1, 5, 1, 5, 1, 12, 1, 9, 99})
	f.Add(byte(5), []byte{6, 1, 7, 0, 7, 15, 7, 25, 7, 35, 7, 45, 7, 55, 7, 65, 7, 75, 7, 85, 9, 99})
	f.Fuzz(func(t *testing.T, members byte, steps []byte) {
		newInquest(t, int(members)%mostMembers).run(steps[:min(len(steps), 2000)])
	})
}
