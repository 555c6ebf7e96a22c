package backend

import (
	"sync"
	"sync/atomic"
	"time"
)

// An attempt to connect is slow when it takes longer than slowAtLeast and slowTimes
// the usual time.
const (
	slowAtLeast = 20 * time.Millisecond
	slowTimes   = 4
	smoothing   = 8 // of how many the usual time is the average, roughly
)

// attempts knows how long connecting takes here, and tells while an attempt takes
// much longer. Long before it fails, others can have the work.
type attempts struct {
	tell  func(slow bool) // nil: nobody wants to know
	usual atomic.Int64    // nanoseconds, smoothed; 0 until one has succeeded

	mu      sync.Mutex
	slow    int  // how many are at present
	told    bool // what was told last
	telling bool // somebody does
}

// attempt is one try to connect.
type attempt struct {
	all   *attempts
	began time.Time
	timer *time.Timer // nil: nobody wants to know

	slow, over bool // under all.mu
}

func (a *attempts) begin() *attempt {
	t := &attempt{all: a, began: time.Now()}
	if a.tell != nil {
		t.timer = time.AfterFunc(a.patience(), t.tarry)
	}
	return t
}

// patience is how long an attempt may take without being slow.
func (a *attempts) patience() time.Duration {
	return slowAtLeast + slowTimes*time.Duration(a.usual.Load())
}

// tarry says that the attempt is still going on.
func (t *attempt) tarry() {
	t.all.mu.Lock()
	if !t.over {
		t.slow = true
		t.all.slow++
	}
	t.all.say()
}

// end says that the attempt is over, and whether it came to a connection.
func (t *attempt) end(ok bool) {
	if ok {
		t.all.observe(time.Since(t.began))
	}
	if t.timer == nil || t.timer.Stop() {
		return
	}
	t.all.mu.Lock()
	t.over = true
	if t.slow {
		t.all.slow--
	}
	t.all.say()
}

// observe smooths. Two at once may count as one, which does no harm.
func (a *attempts) observe(took time.Duration) {
	old := a.usual.Load()
	if old == 0 {
		a.usual.Store(int64(took))
		return
	}
	a.usual.Store(old + (int64(took)-old)/smoothing)
}

// say tells what has changed. It is called with the lock and gives it back, and
// does not hold it while it tells: whoever changes something meanwhile leaves the
// telling to the one who is at it, so that the last word is the true one.
func (a *attempts) say() {
	defer a.mu.Unlock()
	if a.telling {
		return
	}
	a.telling = true
	for a.told != (a.slow > 0) {
		a.told = !a.told
		slow := a.told
		a.mu.Unlock()
		a.tell(slow)
		a.mu.Lock()
	}
	a.telling = false
}
