package configs

import "time"

// Retry says when a request is sent to another backend. What reached nobody is
// always sent again and not counted here.
type Retry struct {
	Status        []int         // 500 to 599, may be nil: after these idempotent requests are sent again
	Attempts      int           // how often one request is sent at most; at least 1
	Deadline      time.Duration // no attempt begins later than this after the first one
	Budget        int           // percent of the running requests that may be repetitions; three always may
	NonIdempotent bool          // POST and PATCH too, which may then be delivered twice
}

// retry checks when requests are repeated. An empty list of statuses is a wish,
// so only the key that is not written becomes the default.
func (c compiler) retry(key string, r Retry) Retry {
	if !c.has(key + ".status") {
		r.Status = defaultPool().Retry.Status
	}
	c.statuses(key+".status", r.Status, 500)
	between(c, key+".attempts", r.Attempts, 1, 10)
	between(c, key+".deadline", r.Deadline, shortest, time.Hour)
	between(c, key+".budget", r.Budget, 0, 100)
	r.Status = some(r.Status)
	return r
}
