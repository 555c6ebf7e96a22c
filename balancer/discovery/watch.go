package discovery

import (
	"context"
	"slices"
	"time"
)

// shortestPause is the least time between two rounds.
const shortestPause = time.Second

// Result is what one round of a watch came to.
type Result struct {
	// Members are those of the last good round, sorted by priority and address: never
	// empty once there was one. Read only.
	Members []Member
	// Dropped counts what was left out of them because it was too much: members
	// beyond 1,000, targets of a service beyond 64 that came without addresses.
	Dropped int
	// Err says why this round failed: not one address was learnt. Members are those
	// of before.
	Err error
	// Partial says what could not be asked in a round that went well: records that
	// were known before stand in for it.
	Partial error
	// Changed says that Members differ from those of the round before.
	Changed bool
}

// Watch asks for the members of one entry, again and again. Its methods are not
// for concurrent use.
type Watch struct {
	ask     func(context.Context) round
	refresh time.Duration

	members []Member // of the last good round
	dropped int
}

// round is the raw outcome of asking once.
type round struct {
	members []Member
	dropped int
	ttl     time.Duration
	partial error
	err     error
}

// Run asks at once and then whenever the records have expired, until ctx ends. It
// calls tell after each round, from its own goroutine; the next round waits for
// it. Nothing is told of a round that the end of ctx cut short.
func (w *Watch) Run(ctx context.Context, tell func(Result)) {
	failures := 0
	for {
		result, ttl := w.once(ctx)
		if ctx.Err() != nil {
			return
		}
		tell(result)
		if failures++; result.Err == nil {
			failures = 0
		}
		if !wait(ctx, w.pause(ttl, failures)) {
			return
		}
	}
}

// Lookup does one round. TTL is how long the members hold, at least 1 s; after a
// failure it is 0, and the members are those of the last good round.
func (w *Watch) Lookup(ctx context.Context) (members []Member, ttl time.Duration, err error) {
	result, ttl := w.once(ctx)
	return result.Members, ttl, result.Err
}

// once does one round and remembers its members if it is good.
func (w *Watch) once(ctx context.Context) (Result, time.Duration) {
	r := w.ask(ctx)
	if r.err != nil {
		return Result{Members: w.members, Dropped: w.dropped, Err: r.err}, 0
	}
	members, dropped := tidy(r.members)
	changed := !slices.Equal(members, w.members)
	w.members, w.dropped = members, dropped+r.dropped
	return Result{Members: members, Dropped: w.dropped, Partial: r.partial, Changed: changed}, max(r.ttl, shortestPause)
}

// pause is the time to the next round after this many failures in a row.
func (w *Watch) pause(ttl time.Duration, failures int) time.Duration {
	if failures == 0 {
		return min(max(ttl, shortestPause), w.refresh)
	}
	pause := shortestPause
	for i := 1; i < failures && pause < w.refresh; i++ {
		pause *= 2
	}
	return min(pause, w.refresh)
}

// wait reports whether the pause went by before ctx ended.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
