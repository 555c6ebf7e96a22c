package proxy

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/trackgate/trackgate/balancer"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/backend"
)

// retry is what the attempts of an exchange so far say about another one.
type retry struct {
	first     time.Time           // when the first attempt began
	failed    []*balancer.Backend // that another attempt is to avoid
	unreached int                 // attempts that found nobody to talk to
	lap       int                 // the same since the last pause
	pauses    int
	raced     bool // the one repetition of what a backend closed unread was spent
	counted   bool // among the pool's repetitions
}

func (r *retry) begin(now time.Time) {
	if r.first.IsZero() {
		r.first = now
	}
}

// end gives back what the exchange holds of its pool's budget.
func (r *retry) end(x *exchange) {
	if r.counted {
		r.counted = false
		x.listener.pool.Repeated()
	}
}

// again reports whether the request is to be sent once more, after an attempt
// that ended with err or, if that is nil, with an answer. An answer is then done
// with: nobody sees it.
func (g *Gate) again(x *exchange, err error) bool {
	if err == nil && !x.unwanted() || g.over.Load() || x.upload != nil || !g.repeats(x, err) {
		return false
	}
	cause := reason.BackendError
	if err != nil {
		cause = reasonOf(err)
	} else {
		x.setAside()
	}
	x.avoid(err)
	x.listener.pool.Metrics().Retried(cause)
	return true
}

// unwanted reports whether the answer is one after which another backend may be
// asked.
func (x *exchange) unwanted() bool {
	return x.res.Status >= 500 && slices.Contains(x.listener.pool.Settings().Retry.Status, x.res.Status)
}

// repeats decides by what may have become of the request: nothing, as nobody was
// reached; nothing, on a connection that the backend closed without reading it; or
// anything, where only the settings can allow it.
func (g *Gate) repeats(x *exchange, err error) bool {
	r := &x.retry
	switch {
	case err != nil && reasonOf(err) == reason.ConnectFailed:
		r.unreached++
		r.lap++
		return x.searches() || g.pause(x)
	case err != nil && backend.MayRepeat(err) && !r.raced:
		r.raced = true
		return true
	}
	return x.mayRepeat(err) && x.budgeted()
}

// leastSearch is how many backends are tried, if none can be reached, however long
// that takes.
const leastSearch = 3

// searches reports whether there are backends left to try after some that could
// not be reached.
func (x *exchange) searches() bool {
	r, p := &x.retry, x.listener.pool
	return r.lap < p.Size() && (r.lap < leastSearch || time.Since(r.first) <= p.Settings().Retry.Deadline)
}

// avoid keeps the next attempts from the backend of this one. One that only closed
// a connection unread may be well: it is avoided while there is another, and not
// before one that could not be reached.
func (x *exchange) avoid(err error) {
	r := &x.retry
	if !r.raced || err == nil || reasonOf(err) != reason.BackendClosed || x.listener.pool.HasOther(x.to, r.failed) {
		r.failed = append(r.failed, x.to.Turn())
	}
}

// mayRepeat reports whether the settings allow to repeat a request of which a
// backend may have acted upon something, and there is another one to do better.
func (x *exchange) mayRepeat(err error) bool {
	r, s := &x.retry, &x.listener.pool.Settings().Retry
	return x.whole && !x.req.Upgrade && (s.NonIdempotent || idempotent(x.req.Method)) &&
		(err == nil || slices.Contains(s.Status, reasonOf(err).Status())) &&
		x.attempts-r.unreached < s.Attempts && time.Since(r.first) <= s.Deadline &&
		x.listener.pool.HasOther(x.to, r.failed)
}

// idempotent reports whether a request may be sent twice and mean the same (RFC
// 9110 section 9.2.2).
func idempotent(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return true
	}
	return false
}

// budgeted reports whether the pool allows the exchange to be repeated. It is
// counted once, however often it is repeated, until it ends.
func (x *exchange) budgeted() bool {
	x.retry.counted = x.retry.counted || x.listener.pool.Repeat()
	return x.retry.counted
}

// setAside ends an attempt whose answer nobody shall see. If all of it is here, its
// connection can be used again; it is not waited for.
func (x *exchange) setAside() {
	if x.bc.Whole() {
		if _, whole, err := x.bc.Hold(maxJoined); err == nil && whole {
			x.release()
			return
		}
	}
	x.lane.asking.Store(nil)
	x.bc.Close()
	x.endAttempt(time.Now(), nil)
	x.forget()
}

// How long a request that may wait pauses when no backend could be reached, until
// it tries all of them again: the first time, and at most. Checks, which every such
// failure brings forward, will soon say that none is up; then it waits in line for
// the first to return.
const (
	shortestPause = 50 * time.Millisecond
	longestPause  = time.Second
)

// pause waits a moment for backends of which none could be reached, if the
// settings let requests wait for them. It reports whether all may be tried again.
func (g *Gate) pause(x *exchange) bool {
	r, wait := &x.retry, x.listener.pool.Settings().Queue.Wait
	if wait == 0 || time.Since(r.first) > wait {
		return false
	}
	while := min(shortestPause<<min(r.pauses, 10), longestPause)
	timer := time.NewTimer(while + rand.N(while))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.ending:
		return false
	}
	r.pauses++
	r.lap, r.failed = 0, r.failed[:0]
	return true
}
