package h2

import (
	"sync"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Stream is a request and its answer: the wire.Stream of one exchange. The reader
// fills it until it hands it out; from then on it belongs to the goroutine that serves
// it, but for what Conn.mu guards.
type Stream struct {
	conn   *Conn
	id     uint32
	handed bool   // to a goroutine that serves it; the reader's
	arena  []byte // the head, and a small body behind it
	req    wire.Request
	came   time.Time // when the head was whole

	// Guarded by Conn.mu.
	body     []byte // room for what is held; its first len(held) bytes are
	held     []byte
	more     []byte // room for what comes behind what is held: more[r:w] is unread
	r, w     int
	taking   bool  // Hold has returned: what comes goes into more
	got      int64 // bytes of the body that were announced by frames
	credit   int64 // bytes that the client may still send
	owed     int64 // bytes it may be given back
	whole    bool  // nothing more will come, or is wanted
	over     bool  // the client has ended its side
	fault    error // why, if that is not the request's end
	stopped  bool
	reset    bool // nobody waits for the answer
	counted  bool // among Conn.open
	window   int64
	latest   time.Time     // when the last part came
	waited   time.Duration // for the client, since the reader handed it out
	tunnel   bool          // a websocket
	until    time.Time     // its deadline
	key      string        // what the backend has to accept for it
	trailing wire.Fields

	reading waiter // for the client's data
	writing waiter // for room to send; a tunnel does both at a time
	taken   int64
	answer
}

// arenaSize is what a usual head with an event behind it needs.
const arenaSize = 8 << 10

var streams = sync.Pool{New: func() any {
	return &Stream{arena: make([]byte, 0, arenaSize), reading: newWaiter(), writing: newWaiter(), answer: answer{head: make([]byte, 0, 1<<10)}}
}}

func newStream(c *Conn, id uint32) *Stream {
	s := streams.Get().(*Stream)
	s.conn, s.id, s.credit, s.came = c, id, streamWindow, time.Now()
	s.latest = s.came
	s.answer.begin()
	return s
}

// recycle gives s and its buffers back. One whose buffers grew is left to the
// collector.
func (s *Stream) recycle() {
	if !s.behind() {
		wire.DropBody(s.body)
	}
	wire.DropBody(s.more)
	if cap(s.arena) != arenaSize || cap(s.head) > maxFrame {
		return
	}
	s.reading.clear()
	s.writing.clear()
	s.req.Reset()
	*s = Stream{arena: s.arena[:0], req: s.req, reading: s.reading, writing: s.writing, answer: answer{head: s.head[:0]}}
	streams.Put(s)
}

// End ends the work for s, of which nothing may be used afterwards.
func (s *Stream) End() {
	s.Lose()
	s.recycle()
}

// Lose is End after a panic: others may still use what s had, so nobody else gets it.
func (s *Stream) Lose() {
	c := s.conn
	c.mu.Lock()
	c.forgetLocked(s)
	s.uncountLocked()
	if c.working--; c.working == 0 {
		c.tellDrainedLocked()
	}
	c.mu.Unlock()
}

// uncountLocked makes room for another stream.
func (s *Stream) uncountLocked() {
	if s.counted {
		s.counted = false
		s.conn.open--
	}
}

// wake tells those who wait that something has changed.
func (s *Stream) wake() {
	s.reading.wake()
	s.writing.wake()
}

// malformed reports whether the client is told of a mistake (RFC 9113 section 8.1.1).
func (s *Stream) malformed() bool { return wire.ReasonOf(s.fault, reason.OK) == reason.Malformed }

// endLocked notes that nothing more will come, because of fault or, with nil, because
// the request is whole. The first call counts.
func (s *Stream) endLocked(fault error) {
	if !s.whole {
		s.whole, s.fault = true, orElse(s.fault, fault)
		s.wake()
	}
}

// endByClientLocked notes that the client has ended its side. It reports whether it did
// so by a mistake, its first one, in a request that was handed out; judge sees to those
// of others.
func (s *Stream) endByClientLocked(fault error) (mistake bool) {
	s.over = true
	mistake = !s.whole && s.handed && s.fault == nil
	s.endLocked(fault)
	return mistake && s.malformed()
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// short returns the fault of a body that ended, if it is not as long as was said.
func (s *Stream) short() error {
	if s.req.Length != wire.Unknown && s.got != s.req.Length {
		return errShort
	}
	return nil
}

// ReadHead implements wire.Stream.
func (s *Stream) ReadHead(time.Time) (*wire.Request, error) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.fault != nil {
		return &s.req, s.fault
	}
	return &s.req, nil
}
