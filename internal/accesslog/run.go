package accesslog

import (
	"context"
	"time"
)

// flushEvery is how long a line waits at most while the output keeps up.
const flushEvery = 200 * time.Millisecond

// Run writes what was logged until ctx ends, then writes the rest and returns.
// Lines that come later are dropped. It must be called once. An output that
// blocks for ever blocks Run, and Run alone: whoever cannot wait for that
// bounds the waiting.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()

	spare := make([]byte, 0, bufferSize)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-tick.C:
		}
		spare = l.flush(spare)
	}
	l.end()
	l.flush(spare)
}

// flush hands empty to those who log, writes what they had logged, and returns
// the other buffer, emptied.
func (l *Log) flush(empty []byte) []byte {
	full := l.swap(empty)
	if lost := l.sink.write(full); lost > 0 {
		l.dropped.Add(uint64(lost))
	}
	return full[:0]
}

func (l *Log) swap(empty []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.filling
	l.filling = empty
	return full
}

func (l *Log) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}
