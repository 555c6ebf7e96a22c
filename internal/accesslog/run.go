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

	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-l.wake:
		case <-tick.C:
		}
		l.flush()
	}
	l.end()
	l.flush()
}

// flush writes what was logged.
func (l *Log) flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.flushLocked()
}

// flushLocked hands the empty buffer to those who log, writes what they had logged,
// and keeps the other one.
func (l *Log) flushLocked() {
	full := l.swap(l.spare)
	if lost := l.sink.write(full); lost > 0 {
		l.dropped.Add(uint64(lost))
	}
	l.spare = full[:0]
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
