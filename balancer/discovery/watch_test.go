package discovery

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func one(addr string) []Member { return []Member{{Addr: addr, Name: "be", Weight: 1}} }

// told is what a watch told, with the time since the start of the bubble.
type told struct {
	at time.Duration
	Result
}

// run lets a watch run for a while of the bubble's time; rounds are asked in turn
// and the last one again and again.
func run(d time.Duration, refresh time.Duration, rounds ...round) []told {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	w := &Watch{refresh: refresh}
	n := 0
	w.ask = func(context.Context) round {
		n++
		return rounds[min(n, len(rounds))-1]
	}
	var all []told
	w.Run(ctx, func(r Result) { all = append(all, told{time.Since(begin), r}) })
	return all
}

func times(all []told) string {
	s := ""
	for _, one := range all {
		s += fmt.Sprint(one.at.Seconds(), " ")
	}
	return s
}

func TestAsksAgainWhenTheRecordsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, "0 7 14 21 ", times(run(25*time.Second, 30*time.Second, round{members: one("10.0.0.1:80"), ttl: 7 * time.Second})))
	})
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, "0 1 2 ", times(run(2500*time.Millisecond, 30*time.Second, round{members: one("10.0.0.1:80")})), "a TTL of 0 is 1 s")
	})
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, "0 5 10 ", times(run(12*time.Second, 5*time.Second, round{members: one("10.0.0.1:80"), ttl: time.Hour})), "but no later than this")
	})
}

func TestFailuresAreRepeatedMoreAndMoreSeldom(t *testing.T) {
	failed, good := round{err: errors.New("no")}, round{members: one("10.0.0.1:80"), ttl: 3 * time.Second}
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, "0 1 3 7 15 25 35 ", times(run(40*time.Second, 10*time.Second, failed)))
	})
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, "0 1 3 6 7 9 12 ", times(run(13*time.Second, 10*time.Second, failed, failed, good, failed, failed, good)))
	})
}

func TestTheLastGoodMembersStayForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := errors.New("no")
		good := round{members: one("10.0.0.1:80"), dropped: 2, ttl: time.Second}
		all := run(time.Hour, 10*time.Second, round{err: failure}, good, good, round{err: failure})
		assert.Equal(t, Result{Err: failure}, all[0].Result)
		assert.Equal(t, Result{Members: one("10.0.0.1:80"), Dropped: 2, Changed: true}, all[1].Result)
		assert.Equal(t, Result{Members: one("10.0.0.1:80"), Dropped: 2}, all[2].Result)
		assert.Greater(t, len(all), 300)
		for _, later := range all[3:] {
			assert.Equal(t, Result{Members: one("10.0.0.1:80"), Dropped: 2, Err: failure}, later.Result)
		}
	})
}

func TestAChangeIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		partial := errors.New("half")
		all := run(5*time.Second, 10*time.Second, round{members: one("10.0.0.1:80")},
			round{members: one("10.0.0.2:80"), partial: partial}, round{err: errors.New("no")}, round{members: one("10.0.0.2:80")})
		assert.Equal(t, Result{Members: one("10.0.0.2:80"), Partial: partial, Changed: true}, all[1].Result)
		for _, later := range all[2:] {
			assert.False(t, later.Changed)
		}
	})
}

func TestNothingIsToldOfARoundThatTheEndCutsShort(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watch{ask: func(ctx context.Context) round {
		cancel()
		return round{err: ctx.Err()}
	}}
	w.Run(ctx, func(Result) { t.Error("told") })
}

func TestLookupIsOneRound(t *testing.T) {
	next := round{members: one("10.0.0.1:80"), ttl: time.Minute}
	w := &Watch{ask: func(context.Context) round { return next }}
	members, ttl, err := w.Lookup(t.Context())
	assert.Equal(t, one("10.0.0.1:80"), members)
	assert.Equal(t, time.Minute, ttl)
	assert.NoError(t, err)

	next = round{err: errors.New("no")}
	members, ttl, err = w.Lookup(t.Context())
	assert.Equal(t, one("10.0.0.1:80"), members)
	assert.Zero(t, ttl)
	assert.EqualError(t, err, "no")
}
