package backend

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// How much is needed to believe that a backend closes connections for having been
// unused, and for how long it is believed.
const (
	believed   = 10 * time.Minute
	agreeing   = 3                      // closings
	alike      = 1.5                    // at most between two ages that agree
	apart      = time.Second            // at least between the first and the last: a restart closes all at once
	youngest   = 100 * time.Millisecond // what is closed sooner was not closed for having been unused
	remembered = 16                     // closings
	share      = 0.8                    // of what the backend allows is used
)

// unused knows for how long connections to the backend may be unused: what the
// settings say, or less, if the backend says (Keep-Alive: timeout=) or shows (by
// the ages at which it closes) that it will not wait that long.
type unused struct {
	most  time.Duration
	born  time.Time
	force atomic.Int64 // the limit in force, in nanoseconds

	said atomic.Int64 // what was announced, in nanoseconds; 0: nothing
	when atomic.Int64 // when that was heard last, in nanoseconds from born

	mu       sync.Mutex
	closings []closing
	shown    time.Duration // what closings agree upon; 0: nothing
	agreed   time.Time     // when one agreed last
}

// closing is the end of an unused connection.
type closing struct {
	age time.Duration // since it was used
	at  time.Time
}

func (u *unused) init(most time.Duration) {
	u.most, u.born = most, time.Now()
	u.force.Store(int64(most))
}

func (u *unused) limit() time.Duration { return time.Duration(u.force.Load()) }

// announce takes note of what the backend said at now. What it has said already
// costs two loads.
func (u *unused) announce(allowed time.Duration, now time.Time) {
	said, age := u.said.Load(), int64(now.Sub(u.born))-u.when.Load()
	if said != 0 && (int64(allowed) > said && age < int64(believed) || int64(allowed) == said && age < int64(believed/10)) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.said.Store(int64(allowed))
	u.when.Store(int64(now.Sub(u.born)))
	u.update()
}

// closed takes note that the backend closed a connection at, which had been
// unused for age.
func (u *unused) closed(age time.Duration, at time.Time) {
	if age < youngest {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.drop(at)
	if len(u.closings) == remembered {
		u.closings = slices.Delete(u.closings, 0, 1)
	}
	u.closings = append(u.closings, closing{age, at})
	if shown, ok := u.agree(age); ok {
		u.shown, u.agreed = shown, at
		u.update()
	}
}

// agree returns the smallest of the ages that are like age, if they are many
// enough and from more than one moment.
func (u *unused) agree(age time.Duration) (smallest time.Duration, ok bool) {
	smallest = age
	var first, last time.Time
	n := 0
	for _, c := range u.closings {
		if float64(max(c.age, age)) > alike*float64(min(c.age, age)) {
			continue
		}
		smallest = min(smallest, c.age)
		if n == 0 || c.at.Before(first) {
			first = c.at
		}
		if n == 0 || c.at.After(last) {
			last = c.at
		}
		n++
	}
	return smallest, n >= agreeing && last.Sub(first) >= apart
}

// drop forgets closings of long before now.
func (u *unused) drop(now time.Time) {
	u.closings = slices.DeleteFunc(u.closings, func(c closing) bool { return now.Sub(c.at) > believed })
}

// lapse forgets what is not believed any more at now.
func (u *unused) lapse(now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.drop(now)
	if now.Sub(u.agreed) > believed {
		u.shown = 0
	}
	if int64(now.Sub(u.born))-u.when.Load() > int64(believed) {
		u.said.Store(0)
	}
	u.update()
}

// forget forgets everything.
func (u *unused) forget() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closings, u.shown = nil, 0
	u.said.Store(0)
	u.update()
}

// update puts the limit in force.
func (u *unused) update() {
	limit := u.most
	for _, allowed := range [...]time.Duration{u.shown, time.Duration(u.said.Load())} {
		if allowed > 0 {
			limit = min(limit, time.Duration(share*float64(allowed)))
		}
	}
	u.force.Store(int64(limit))
}
