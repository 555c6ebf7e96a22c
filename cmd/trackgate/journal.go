package main

import (
	"io"
	"sync/atomic"
	"time"
)

// journalLines is how many lines wait for an output that is slow.
const journalLines = 1024

// journal hands lines to an output that may be slow or stuck, without ever
// waiting for it: a stalled reader of standard error must not stall whoever
// accepts connections or checks backends. What finds no room is dropped.
type journal struct {
	out     io.Writer
	lines   chan []byte
	ending  chan struct{}
	written chan struct{}
	dropped atomic.Uint64
}

// newJournal starts the goroutine that writes; close ends it.
func newJournal(out io.Writer) *journal {
	j := &journal{out: out, lines: make(chan []byte, journalLines), ending: make(chan struct{}), written: make(chan struct{})}
	go j.run()
	return j
}

func (j *journal) run() {
	defer close(j.written)
	for {
		select {
		case line := <-j.lines:
			j.out.Write(line) //nolint:errcheck // there is nowhere to tell it
		case <-j.ending:
			j.rest()
			return
		}
	}
}

// rest writes what is there.
func (j *journal) rest() {
	for {
		select {
		case line := <-j.lines:
			j.out.Write(line) //nolint:errcheck // as in run
		default:
			return
		}
	}
}

// Write takes a line; it never fails and never waits.
func (j *journal) Write(line []byte) (int, error) {
	select {
	case j.lines <- append([]byte(nil), line...):
	default:
		j.dropped.Add(1)
	}
	return len(line), nil
}

// close writes what is there, for as long as patience lasts. Lines that come
// later are lost.
func (j *journal) close(patience time.Duration) {
	close(j.ending)
	select {
	case <-j.written:
	case <-time.After(patience):
	}
}
