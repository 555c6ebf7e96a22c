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
	first     time.Time // when the first attempt began
	failed    [maxTried]*balancer.Backend
	count     int  // of failed, those that fell out of it included
	unreached int  // attempts that found nobody to talk to
	lap       int  // the same since the last pause
	raced     bool // the one repetition after a reuse race was spent
	counted   bool // among the pool's repetitions
}

// maxTried is how many backends an exchange remembers not to ask again.
const maxTried = 8

func (r *retry) begin(now time.Time) {
	if r.first.IsZero() {
		r.first = now
	}
}

// tried returns the backends that another attempt is to avoid.
func (r *retry) tried() []*balancer.Backend { return r.failed[:min(r.count, maxTried)] }

// end gives back what the exchange holds of its pool's budget.
func (r *retry) end(x *exchange) {
	if r.counted {
		x.listener.pool.Repeated()
	}
}

// again reports whether the request is to be sent once more, after an attempt
// that ended with err or, if that is nil, with an answer. An answer is then done
// with: nobody sees it.
func (g *Gate) again(x *exchange, err error) bool {
	if err == nil && x.res.Status < 500 {
		return false
	}
	if g.over.Load() || x.upload != nil || x.late() || !g.repeats(x, err) {
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

// late reports whether it is too late to begin another attempt.
func (x *exchange) late() bool {
	s := x.listener.pool.Settings()
	return time.Since(x.retry.first) > max(s.Retry.Deadline, s.Queue.Wait)
}

// repeats decides by what may have become of the request: nothing, as nobody was
// reached; nothing, in all likelihood, on a kept connection that had been closed;
// or anything, where only the settings can allow it.
func (g *Gate) repeats(x *exchange, err error) bool {
	r := &x.retry
	switch {
	case err != nil && reasonOf(err) == reason.ConnectFailed:
		r.unreached++
		r.lap++
		return r.lap < x.listener.pool.Size() || g.pause(x)
	case err != nil && backend.MayRepeat(err) && !r.raced:
		r.raced = true
		return true
	}
	return x.mayRepeat(err) && x.budgeted()
}

// avoid keeps the next attempt from the backend of this one. One that only closed
// a kept connection may be well: it is avoided while there is another, and not
// before one that could not be reached.
func (x *exchange) avoid(err error) {
	r := &x.retry
	if err == nil || !backend.MayRepeat(err) || reasonOf(err) == reason.ConnectFailed || x.listener.pool.HasOther(x.to, r.tried()) {
		r.failed[r.count%maxTried] = x.to.Turn()
		r.count++
	}
}

// mayRepeat reports whether the settings allow to repeat a request of which a
// backend may have acted upon something, and there is another one to do better.
func (x *exchange) mayRepeat(err error) bool {
	s := &x.listener.pool.Settings().Retry
	status := 0
	if err != nil {
		status = reasonOf(err).Status()
	} else {
		status = x.res.Status
	}
	return x.whole && !x.req.Upgrade && x.attempts-x.retry.unreached < s.Attempts &&
		slices.Contains(s.Status, status) && (s.NonIdempotent || idempotent(x.req.Method)) &&
		x.listener.pool.HasOther(x.to, x.retry.tried())
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

// setAside ends an attempt whose answer nobody shall see. A short one is read to
// its end, so that its connection can be used again.
func (x *exchange) setAside() {
	_, whole, err := x.bc.Hold(maxJoined)
	if err == nil && whole {
		x.release()
		return
	}
	x.endAttempt(time.Now(), nil)
	x.conn.asking.Store(nil)
	x.bc.Close()
	x.bc, x.res = nil, nil
}

// How long a request that may wait pauses when no backend could be reached, until
// it tries all of them again. Checks will soon say that none is up; then it waits
// for the first to return.
const (
	shortestHold = 50 * time.Millisecond
	longestHold  = 150 * time.Millisecond
)

// pause waits a moment for backends of which none could be reached, if the
// settings let requests wait for them. It reports whether all may be tried again.
func (g *Gate) pause(x *exchange) bool {
	wait := x.listener.pool.Settings().Queue.Wait
	if wait == 0 || time.Since(x.retry.first) > wait {
		return false
	}
	timer := time.NewTimer(shortestHold + rand.N(longestHold-shortestHold))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.ending:
		return false
	}
	x.retry.lap, x.retry.count = 0, 0
	return true
}
