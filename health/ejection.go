package health

import (
	"fmt"
	"time"
)

const (
	firstPause   = 3 * time.Second
	longestPause = time.Minute
	goodConduct  = time.Minute // of being up, after which the pauses begin anew
)

// ejection is the pause that the traffic itself has earned a backend.
type ejection struct {
	pause time.Duration // of this one or the last
	until time.Time     // zero: none
	cause Cause
	why   string
}

// begin takes the backend out, for twice as long as the last time unless it has
// been up for long enough since.
func (e *ejection) begin(now, upSince time.Time, cause Cause, why string) {
	if e.pause == 0 || now.Sub(upSince) >= goodConduct {
		e.pause = firstPause
	} else {
		e.pause = min(2*e.pause, longestPause)
	}
	e.until, e.cause = now.Add(e.pause), cause
	e.why = fmt.Sprintf("%s; back in %s", why, e.pause)
}

// holds says whether the pause is not over yet.
func (e *ejection) holds(now time.Time) bool { return now.Before(e.until) }

// lift ends the pause before its time.
func (e *ejection) lift() { e.until = time.Time{} }

// over says why the backend is back.
func (e *ejection) over() string {
	if e.until.IsZero() {
		return "no other backend that takes work is up"
	}
	return fmt.Sprintf("the pause of %s is over", e.pause)
}
