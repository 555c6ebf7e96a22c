package health

import "fmt"

// tally counts the probes of one backend in a row.
type tally struct {
	rise, fall int
	status     Status
	why        string // in words, of status
	row        int    // probes in a row that speak against status
}

// add counts one probe, nil if it passed, and says whether that changed the
// status. In need, when nobody else is up, one that passed is enough.
func (t *tally) add(failure error, need bool) (changed bool) {
	verdict, needed := Up, t.rise
	switch {
	case failure != nil:
		verdict, needed = Down, t.fall
	case t.status == Unknown:
		needed, t.row = 1, 0
	case need:
		needed = 1
	}
	if t.status == verdict {
		t.row = 0
		return false
	}
	if t.row++; t.row < needed {
		return false
	}
	t.why = fmt.Sprintf("%s passed", checks(t.row))
	if failure != nil {
		t.why = fmt.Sprintf("%s failed: %s", checks(t.row), words(failure))
	}
	t.status, t.row = verdict, 0
	return true
}

// returning says whether one that is down has begun to pass.
func (t *tally) returning() bool { return t.status == Down && t.row > 0 }

// checks is a number of checks in words.
func checks(n int) string {
	if n == 1 {
		return "1 check"
	}
	return fmt.Sprintf("%d checks", n)
}
