package backend

import (
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// learner is what is known with limits of at most 4 s, and a clock.
type learner struct {
	unused
	now time.Time
}

func newLearner() *learner {
	l := &learner{now: time.Unix(1_800_000_000, 0)}
	l.init(4 * time.Second)
	return l
}

// after lets time go by.
func (l *learner) after(d time.Duration) *learner {
	l.now = l.now.Add(d)
	return l
}

// closings of those ages, one every 2 s.
func (l *learner) closings(ages ...time.Duration) *learner {
	for _, age := range ages {
		l.after(2*time.Second).closed(age, l.now)
	}
	return l
}

func TestTheLimitIsFourFifthsOfWhatTheBackendSays(t *testing.T) {
	l := newLearner()
	assert.Equal(t, 4*time.Second, l.limit())
	l.announce(75*time.Second, l.now)
	assert.Equal(t, 4*time.Second, l.limit(), "never more than the settings")
	l.announce(2*time.Second, l.now)
	assert.Equal(t, 1600*time.Millisecond, l.limit())
	l.announce(3*time.Second, l.now)
	assert.Equal(t, 1600*time.Millisecond, l.limit(), "it only lowers")
	l.announce(time.Second, l.now)
	assert.Equal(t, 800*time.Millisecond, l.limit())
}

func TestWhatTheBackendSaidIsBelievedForTenMinutes(t *testing.T) {
	l := newLearner()
	l.announce(time.Second, l.now)
	l.after(9*time.Minute).announce(time.Second, l.now) // again
	l.announce(2*time.Second, l.now)
	l.after(believed).lapse(l.now)
	assert.Equal(t, 800*time.Millisecond, l.limit())
	l.after(1).lapse(l.now)
	assert.Equal(t, 4*time.Second, l.limit())
	l.announce(2*time.Second, l.now)
	assert.Equal(t, 1600*time.Millisecond, l.limit(), "what it says now")
	l.after(believed+1).announce(3*time.Second, l.now)
	assert.Equal(t, 2400*time.Millisecond, l.limit(), "even when nobody looked in between")
}

func TestClosingsThatAgreeShowTheLimit(t *testing.T) {
	const s = time.Second
	for name, test := range map[string]struct {
		ages []time.Duration
		want time.Duration
	}{
		"none":                   {nil, 4 * s},
		"two":                    {[]time.Duration{2 * s, 2 * s}, 4 * s},
		"three":                  {[]time.Duration{2 * s, 2 * s, 2 * s}, 1600 * time.Millisecond},
		"the smallest":           {[]time.Duration{2500 * time.Millisecond, 2 * s, 3 * s}, 1600 * time.Millisecond},
		"one is another thing":   {[]time.Duration{2 * s, 200 * time.Millisecond, 2 * s, 2 * s}, 1600 * time.Millisecond},
		"none is like another":   {[]time.Duration{1 * s, 1600 * time.Millisecond, 2500 * time.Millisecond, 3900 * time.Millisecond}, 4 * s},
		"closed with the answer": {[]time.Duration{1, 2, 3, 99 * time.Millisecond}, 4 * s},
		"longer than allowed":    {[]time.Duration{60 * s, 60 * s, 60 * s}, 4 * s},
		"many":                   {[]time.Duration{1 * s, 1 * s, 1 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s, 3 * s}, 2400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, newLearner().closings(test.ages...).limit())
		})
	}
}

// A restart closes all at once, however long each was unused.
func TestARestartShowsNothing(t *testing.T) {
	l := newLearner()
	for range 10 {
		l.after(time.Millisecond).closed(2*time.Second, l.now)
	}
	assert.Equal(t, 4*time.Second, l.limit())
	l.after(time.Second).closed(2*time.Second, l.now)
	assert.Equal(t, 1600*time.Millisecond, l.limit(), "one more at another moment")
}

// Closings are not told in the order in which they were.
func TestClosingsMayBeFoundLate(t *testing.T) {
	l := newLearner()
	for _, ago := range []time.Duration{0, 500 * time.Millisecond, time.Second} {
		l.closed(2*time.Second, l.now.Add(-ago))
	}
	assert.Equal(t, 1600*time.Millisecond, l.limit())
}

func TestWhatClosingsShowedIsBelievedForTenMinutes(t *testing.T) {
	l := newLearner().closings(2*time.Second, 2*time.Second, 2*time.Second)
	l.after(believed).lapse(l.now)
	assert.Equal(t, 1600*time.Millisecond, l.limit())
	l.after(1).lapse(l.now)
	assert.Equal(t, 4*time.Second, l.limit())
	assert.Equal(t, 4*time.Second, l.closings(2*time.Second, 2*time.Second).limit(), "old ones do not count")
}

func TestTheLowerOfBothCounts(t *testing.T) {
	l := newLearner().closings(2*time.Second, 2*time.Second, 2*time.Second)
	l.announce(3*time.Second, l.now)
	assert.Equal(t, 1600*time.Millisecond, l.limit())
	l.announce(time.Second, l.now)
	assert.Equal(t, 800*time.Millisecond, l.limit())
	l.forget()
	assert.Equal(t, 4*time.Second, l.limit())
}

func TestSayingTheSameAgainAllocatesNothing(t *testing.T) {
	l := newLearner()
	l.announce(time.Second, l.now)
	l.mu.Lock() // and waits for nobody
	defer l.mu.Unlock()
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		l.announce(time.Second, l.now)
		l.announce(2*time.Second, l.now)
	}))
}

// timeoutSaying is a backend that announces how long it waits.
func timeoutSaying(seconds int) func(far) {
	return saying(fmt.Sprintf("HTTP/1.1 200 OK\r\nkeep-alive: timeout=%d\r\ncontent-length: 2\r\n\r\nok", seconds))
}

func TestConnectionsAreKeptForLessThanTheBackendSays(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, timeoutSaying(2))
		c, now := dial(t, k), time.Now()
		_, err := talk(c, "POST")
		require.NoError(t, err)
		k.Put(c, now)
		require.Equal(t, 1600*time.Millisecond, k.Idle())
		require.Same(t, c, k.Kept(now.Add(k.Idle())))
		_, err = talk(c, "POST")
		require.NoError(t, err)
		k.Put(c, now)
		assert.Nil(t, k.Kept(now.Add(k.Idle()+1)))
	})
}

// A backend that was restarted may be another program.
func TestAConnectionThatCannotBeMadeForgets(t *testing.T) {
	k := backendThat(t, patient, timeoutSaying(2))
	c := dial(t, k)
	_, err := talk(c, "POST")
	require.NoError(t, err)
	k.Put(c, time.Now())
	require.Less(t, k.Idle(), patient.Idle)
	k.addr = "127.0.0.1:1"
	_, err = k.Dial(t.Context())
	failure(t, err, ConnectFailed)
	assert.Equal(t, patient.Idle, k.Idle())
}

// impatient is a backend that closes connections which were unused for a while,
// and tells of it.
func impatient(after time.Duration, closed chan<- struct{}) func(far) {
	return func(c far) {
		for {
			c.SetReadDeadline(time.Now().Add(after))
			if !hear(c) {
				c.Close()
				closed <- struct{}{}
				return
			}
			io.WriteString(c, answer)
		}
	}
}

// How long a connection was unused is known although it is found closed later:
// by Sweep, and by the check before reuse.
func TestClosingsOfTheBackendAreLearnt(t *testing.T) {
	const after = 600 * time.Millisecond
	for name, find := range map[string]func(t *testing.T, k *Conns){
		"by Sweep": func(t *testing.T, k *Conns) { k.Sweep(time.Now()) },
		"by the check": func(t *testing.T, k *Conns) {
			c := k.Kept(time.Now())
			require.Equal(t, ErrStale, c.Exchange([]byte(ask), []byte(event), time.Now()))
			c.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyWay(t, func(t *testing.T, backendThat start) {
				closed := make(chan struct{})
				k := backendThat(t, patient, impatient(after, closed))
				c := dial(t, k)
				_, err := talk(c, "POST")
				require.NoError(t, err)
				put := time.Now()
				k.Put(c, put)
				<-closed
				awaitArrival(t, c)
				<-time.After(300 * time.Millisecond) // it is found late

				find(t, k)

				require.Zero(t, k.Len())
				require.Len(t, k.unused.closings, 1)
				found := time.Since(put)
				age := k.unused.closings[0].age
				assert.Greater(t, age, after/2)
				assert.Less(t, age, found-200*time.Millisecond, "and not when it was found")
			})
		})
	}
}

// TLS may say goodbye and leave TCP open until it is answered.
func TestAGoodbyeIsAClosing(t *testing.T) {
	ca := newAuthority(t)
	said := make(chan struct{})
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), once(func(c far) {
		<-said
		c.(sealedFar).Conn.CloseWrite()
		untilEnd(c)
	}))
	c := kept(t, k)
	c.done, c.sent = true, true
	k.Put(c, time.Now().Add(-3*time.Second))
	close(said)
	awaitArrival(t, c)
	k.Sweep(time.Now())
	require.Len(t, k.unused.closings, 1)
	assert.Greater(t, k.unused.closings[0].age, 2*time.Second)
}

func TestAResetAndWordsShowNothing(t *testing.T) {
	for _, way := range []string{"reset", "bytes"} {
		t.Run(way, func(t *testing.T) {
			now := make(chan struct{})
			k := backendThat(t, patient, once(func(c far) {
				<-now
				staleWays[way](c)
				untilEnd(c)
			}))
			c := kept(t, k)
			c.done, c.sent = true, true
			k.Put(c, time.Now().Add(-3*time.Second))
			close(now)
			awaitArrival(t, c)
			k.Sweep(time.Now())
			assert.Zero(t, k.Len(), "it is of no use any more")
			assert.Empty(t, k.unused.closings)
		})
	}
}

func TestSweepLetsSoundConnectionsBe(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, saying(answer))
		for _, c := range used(t, k, 3) {
			k.Put(c, time.Now())
		}
		for range 3 {
			k.Sweep(time.Now())
		}
		require.Equal(t, 3, k.Len())
		_, err := talk(k.Kept(time.Now()), "POST")
		assert.NoError(t, err)
	})
}

// Sweep looks at connections while others take them, use them and put them back.
func TestSweepDoesNotDisturb(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, saying(answer))
		done := make(chan struct{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 200 {
					c, err := k.Kept(time.Now()), error(nil)
					if c == nil {
						if c, err = k.Dial(t.Context()); !assert.NoError(t, err) {
							return
						}
					}
					_, err = talk(c, "POST")
					assert.NoError(t, err)
					k.Put(c, time.Now())
				}
			})
		}
		go func() { all.Wait(); close(done) }()
		for {
			select {
			case <-done:
				return
			default:
				k.Sweep(time.Now())
			}
		}
	})
}
