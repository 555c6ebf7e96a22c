package accesslog

import (
	"io"
	"math"
	"sync"
	"sync/atomic"

	"github.com/trackgate/trackgate/internal/reason"
)

// bufferSize is the size of each of the two buffers: some 600 lines.
const bufferSize = 256 << 10

// Options say what is written and where.
type Options struct {
	Output io.Writer // opened, and after Run or SetOutput closed, by the caller
	Sample float64   // 0 to 1 of the exchanges that went well; the others are always written

	// Notify is told when writing begins to fail, and with nil when it works
	// again. It may be nil, and must not call the log.
	Notify func(error)
}

// Log takes the entries of all exchanges. Its methods may be called by any
// number of goroutines at once.
type Log struct {
	lines   sync.Pool     // of *line
	step    atomic.Uint64 // share of the exchanges that went well, in 1/2^32
	turn    atomic.Uint64
	dropped atomic.Uint64
	wake    chan struct{} // a buffer is half full

	refused, troubled memory // for operators who look
	slowest           slowest

	mu      sync.Mutex
	filling []byte // never grows
	ended   bool

	writing sync.Mutex // taken before mu; held while the output is written to or replaced
	sink    sink
	spare   []byte // the other buffer, empty
}

// New returns a log that keeps lines until Run writes them.
func New(o Options) *Log {
	l := &Log{
		sink:    sink{out: o.Output, notify: o.Notify},
		wake:    make(chan struct{}, 1),
		filling: make([]byte, 0, bufferSize),
		spare:   make([]byte, 0, bufferSize),
	}
	l.lines.New = func() any { return &line{buf: make([]byte, 0, 1<<10)} }
	l.SetSample(o.Sample)
	l.refused.prepare()
	l.troubled.prepare()
	l.slowest.prepare()
	l.turn.Store(1<<32 - l.step.Load()) // the first one is written
	return l
}

// SetSample changes the share of the exchanges that went well of which there is a
// line, 0 to 1.
func (l *Log) SetSample(share float64) {
	l.step.Store(uint64(math.Round(min(max(share, 0), 1) * (1 << 32))))
}

// SetOutput changes where lines go. Each that Write has taken before goes to the old
// output, which is used no more when SetOutput returns, so that the caller may close
// it. It may be called at any time. Like Run, it waits for an output that blocks.
func (l *Log) SetOutput(out io.Writer) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.flushLocked()
	l.sink.replace(out)
}

// Write adds the line of one exchange. It never waits for the output: a line
// for which there is no room is dropped and counted. e is not kept.
func (l *Log) Write(e *Entry) {
	due, memory, slow := !wentWell(e) || l.chosen(), l.memoryFor(e), l.slowest.wants(e)
	if !due && memory == nil && !slow {
		return
	}
	n := l.lines.Get().(*line)
	n.format(e)
	if due {
		l.add(n.buf)
	}
	if memory != nil {
		memory.keep(n.buf)
	}
	if slow {
		l.slowest.keep(e, n.buf)
	}
	l.lines.Put(n)
}

// Dropped returns how many lines were lost so far: those that found no room
// and those that the output did not take.
func (l *Log) Dropped() uint64 { return l.dropped.Load() }

// wentWell reports whether the exchange is one of many that are alike. A backend's own
// 5xx, which the gate passes on for what it is, is a failure of the site.
func wentWell(e *Entry) bool { return e.Reason == reason.OK && e.Status < 500 }

// chosen spreads the sample evenly: each call adds the share, and a line is
// due whenever the sum reaches the next whole number.
func (l *Log) chosen() bool {
	step := l.step.Load()
	if step == 1<<32 {
		return true
	}
	sum := l.turn.Add(step)
	return sum>>32 != (sum-step)>>32
}

// add copies one line into the buffer that is being filled.
func (l *Log) add(text []byte) {
	l.mu.Lock()
	before := len(l.filling)
	fits := !l.ended && before+len(text) <= cap(l.filling)
	if fits {
		l.filling = append(l.filling, text...)
	}
	l.mu.Unlock()

	switch {
	case !fits:
		l.dropped.Add(1)
	case before < bufferSize/2 && before+len(text) >= bufferSize/2:
		l.rouse()
	}
}

// rouse wakes Run unless it is about to wake anyway.
func (l *Log) rouse() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}
