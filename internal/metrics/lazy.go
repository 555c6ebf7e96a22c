package metrics

import "sync/atomic"

// lazy is a series that begins when it is needed for the first time. create
// may be called by several goroutines at once: for the same labels a family
// gives them all the same series.
type lazy[T any] struct {
	made atomic.Pointer[T]
}

func (l *lazy[T]) get(create func() T) T {
	if p := l.made.Load(); p != nil {
		return *p
	}
	made := create()
	l.made.Store(&made)
	return made
}
