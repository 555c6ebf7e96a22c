package health

import (
	"sync/atomic"
	"time"
)

// answerGrain is how exactly the time of the last answer is known. It is far less
// than any time that an attempt may take.
const answerGrain = time.Millisecond

// lastAnswer is when a backend last answered anybody, since its Monitor began.
// Any goroutine may note one.
type lastAnswer struct{ at atomic.Int64 }

// note takes an answer. Within the grain the time is only read, so that the
// cores do not fight for the line.
func (l *lastAnswer) note(at time.Duration) {
	if int64(at)-l.at.Load() >= int64(answerGrain) {
		l.at.Store(int64(at))
	}
}

// after says whether there was an answer after a moment.
func (l *lastAnswer) after(moment time.Duration) bool { return l.at.Load() > int64(moment) }
