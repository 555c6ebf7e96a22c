package h2

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/hpack"
)

// Config is what the connections of one listener have in common.
type Config struct {
	Limits  wire.Limits
	Head    time.Duration // absolute, for the preface, a field block or any frame but DATA, from its first byte
	Body    time.Duration // between two parts of a body
	Grace   time.Duration // from when on Rate is demanded
	Rate    int64         // bytes a second
	Write   time.Duration // for one write, and for a window to open
	Streams int           // that may be open at once
	Total   int           // streams on one connection
	Connect bool          // websockets, by RFC 8441
}

// Handler is what a connection belongs to.
type Handler interface {
	// Serve has an exchange served on s, on another goroutine, and Stream.End called
	// when that is over.
	Serve(s *Stream)
	// Flush has Conn.Flush called on another goroutine.
	Flush()
}

// Conn is the server's side of an HTTP/2 connection. One goroutine reads, in Serve;
// those of the streams write. It does not close the connection.
type Conn struct {
	nc      net.Conn
	config  *Config
	handler Handler

	// The reader's.
	input
	fields  hpack.Decoder
	block   block     // that CONTINUATION goes on with
	data    data      // the DATA frame that is being read
	partial int       // streams that wait for the rest of their requests
	ready   []*Stream // streams to be handed out
	last    uint32    // the highest stream of the client
	total   int       // streams so far
	credit  int64     // bytes that the client may still send
	owed    int64     // bytes it may be given back
	abuse   abuse
	closed  closed
	greeted bool // the preface came
	settled bool // and the SETTINGS behind it
	agreed  bool // it knows ours
	leaving stage
	since   time.Time // when leaving came to this
	served  uint32    // the last stream, as the client was told; valid while refusing

	leave atomic.Bool // somebody wants the connection to end
	soon  atomic.Bool // with its first request, if it had none yet

	mu       sync.Mutex
	streams  []*Stream // those that a frame may speak of
	open     int       // streams that count against Config.Streams
	working  int       // streams that End was not called on
	window   int64     // bytes that may be sent
	initial  int64     // of a stream
	out      *buffer   // frames to be written; nil for none
	flushing bool
	asked    bool          // for a flush
	crowded  bool          // somebody waits for room in out
	written  chan struct{} // closed when the flush that runs has ended; nil unless somebody waits
	wArmed   time.Time     // the write deadline in force
	failed   bool          // a write
	untaken  bool          // because the client takes nothing
	hushed   bool          // the client says nothing more: no window opens any more
	tabled   bool          // the client knows that our encoder has no table
	dead     error         // nothing more is read or answered
	drained  chan struct{}
}

// Windows of what a client may send before it hears from us.
const (
	streamWindow = wire.MaxHold // an event fits, whole
	connWindow   = 1 << 20
)

// blockGrowth is how many times the limit of a head a field block may decode to before
// that is no mistake any more. What is between is answered with 431.
const blockGrowth = 4

// Init gives the connection to c, which is new. config may be shared.
func (c *Conn) Init(nc net.Conn, config *Config, handler Handler) {
	c.nc, c.config, c.handler = nc, config, handler
	c.fields.Most = blockGrowth * config.Limits.Head
	c.window, c.initial, c.credit = defaultWindow, defaultWindow, connWindow
	o := c.outLocked()
	o.b = appendNumber(appendSettings(o.b, config), frameWindowUpdate, 0, connWindow-uint32(defaultWindow))
}

// Error says why the connection as a whole ended; its stream errors are told to the
// client alone.
type Error struct {
	Code Code
	What string // what was wrong, in words, without client bytes
}

// Error returns what was wrong.
func (e *Error) Error() string { return "HTTP/2: " + e.What }

func broken(code Code, what string) error { return &Error{Code: code, What: what} }

// ErrIdle says that no stream is open and no request came for a while.
var ErrIdle = errors.New("nothing came")

// ErrLeft ends a connection that said GOAWAY twice and has nothing left to do.
var ErrLeft = errors.New("the connection was given up")

// Leave ends the connection in good order: the client is asked to send nothing more,
// what runs is finished. Any goroutine may call it; it does not wait. A Serve that runs
// sees it when the read deadline strikes, which the caller moves into the past.
func (c *Conn) Leave() { c.leave.Store(true) }

// LeaveSoon is Leave, but lets a client that has just come send a request before: it
// would come again as it is asked to, and be sent away again.
func (c *Conn) LeaveSoon() { c.soon.Store(true) }

// mustLeave reports whether the client is to be asked to leave.
func (c *Conn) mustLeave() bool { return c.leave.Load() || c.soon.Load() && c.total > 0 }

// Farewell ends a connection on which nothing was open when Serve returned ErrIdle.
func (c *Conn) Farewell() { c.end(ErrIdle) }

// Release gives the buffers back, while Serve does not run and no stream is open.
func (c *Conn) Release() { c.dropIn() }

// find returns the stream that frames with that number speak of, or nil.
func (c *Conn) find(id uint32) *Stream {
	for _, s := range c.streams {
		if s.id == id {
			return s
		}
	}
	return nil
}

// forgetLocked takes s out of the table: no frame speaks of it any more, so whoever
// waits for one is woken for the last time.
func (c *Conn) forgetLocked(s *Stream) {
	s.wake()
	for i, other := range c.streams {
		if other == s {
			last := len(c.streams) - 1
			c.streams[i], c.streams[last] = c.streams[last], nil
			c.streams = c.streams[:last]
			return
		}
	}
}

// tellDrainedLocked tells those who wait for the end of all work. The reader of a
// connection that is being left looks at the latest after workTime, if this comes before it
// waits.
func (c *Conn) tellDrainedLocked() {
	if c.drained != nil {
		close(c.drained)
		c.drained = nil
	}
	if c.dead == nil && c.leave.Load() {
		c.nc.SetReadDeadline(time.Unix(1, 0)) //nolint:errcheck // a closed connection fails at the next read
	}
}

// Wait waits until the work of all streams has ended, after Serve has.
func (c *Conn) Wait() {
	c.mu.Lock()
	done := make(chan struct{})
	if c.drained = done; c.working == 0 {
		close(done)
	}
	c.mu.Unlock()
	<-done
}
