package testbed

import (
	"sync"
	"time"
)

// queue hands things from whoever makes them to a test that waits.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
	more  chan struct{} // closed and made anew with each item
}

func newQueue[T any]() *queue[T] { return &queue[T]{more: make(chan struct{})} }

func (q *queue[T]) put(item T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, item)
	close(q.more)
	q.more = make(chan struct{})
}

// next takes the first item, for which it waits.
func (q *queue[T]) next(patience time.Duration) (item T, ok bool) {
	timeout := time.After(patience)
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			item, q.items = q.items[0], q.items[1:]
			q.mu.Unlock()
			return item, true
		}
		more := q.more
		q.mu.Unlock()
		select {
		case <-more:
		case <-timeout:
			return item, false
		}
	}
}

// rest takes what is there.
func (q *queue[T]) rest() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items = nil
	return items
}
