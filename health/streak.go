package health

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
)

// streak counts the attempts in a row that got nothing from one backend.
type streak struct {
	length atomic.Int32 // any goroutine may break it

	// the monitor's lock is held for these
	cause Cause
	mixed bool  // not all were of that cause
	err   error // the last one; nil: no answer in time
}

// add counts an attempt that failed. The lock is held.
func (k *streak) add(cause Cause, err error) {
	k.mixed = k.length.Add(1) > 1 && (k.mixed || k.cause != cause)
	k.cause, k.err = cause, err
}

// end begins anew. A streak that is none is only read, so that the cores do not
// fight for the line.
func (k *streak) end() {
	if k.length.Load() != 0 {
		k.length.Store(0)
	}
}

// words says what happened n times. The lock is held.
func (k *streak) words(n int32) string {
	switch {
	case k.mixed:
		return fmt.Sprintf("%d attempts in a row failed: %s", n, k.last())
	case k.cause == CauseTimeout:
		return fmt.Sprintf("%d answers in a row did not come within the time", n)
	}
	return fmt.Sprintf("%d connections in a row could not be made: %s", n, k.last())
}

// last is what was wrong with the last attempt.
func (k *streak) last() string {
	if errno := syscall.Errno(0); errors.As(k.err, &errno) {
		return errno.Error()
	}
	if k.err == nil {
		return "no answer within the time"
	}
	return words(k.err)
}
