package health

import (
	"fmt"
	"time"
)

// Status is what is known of a backend.
type Status uint8

// What can be known of a backend.
const (
	Unknown Status = iota // not enough probes yet; it is given traffic
	Up
	Down
)

// String returns the word, e.g. "up".
func (s Status) String() string {
	switch s {
	case Up:
		return "up"
	case Down:
		return "down"
	}
	return "unknown"
}

// State is what is known of a backend, why, and since when.
type State struct {
	Status Status
	Why    string // in words, e.g. "3 checks failed: connect: connection refused"
	Since  time.Time
}

// tally counts the probes of one backend in a row.
type tally struct {
	rise, fall int
	status     Status
	row        int // probes in a row that speak against status
}

// add counts one probe, nil if it passed, and says whether that changed the
// status, and why.
func (t *tally) add(failure error) (changed bool, why string) {
	verdict, needed := Up, t.rise
	switch {
	case failure != nil:
		verdict, needed = Down, t.fall
	case t.status == Unknown:
		needed, t.row = 1, 0
	}
	if t.status == verdict {
		t.row = 0
		return false, ""
	}
	if t.row++; t.row < needed {
		return false, ""
	}
	why = fmt.Sprintf("%s passed", checks(t.row))
	if failure != nil {
		why = fmt.Sprintf("%s failed: %s", checks(t.row), words(failure))
	}
	t.status, t.row = verdict, 0
	return true, why
}

// checks is a number of checks in words.
func checks(n int) string {
	if n == 1 {
		return "1 check"
	}
	return fmt.Sprintf("%d checks", n)
}
