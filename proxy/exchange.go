package proxy

import (
	"net/netip"
	"sync"
	"time"

	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/internal/traces"
	"github.com/trackgate/trackgate/proxy/backend"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/proxy/route"
	"github.com/trackgate/trackgate/proxy/wire"
)

// exchange is one request and what becomes of it. It is borrowed from a pool
// and used by the goroutine of its connection.
type exchange struct {
	conn     *conn
	lane     *lane
	stream   wire.Stream
	req      *wire.Request
	listener *listener
	start    time.Time

	client netip.Addr // behind trusted proxies
	origin []byte     // of the page that asks; nil for none
	match  route.Decision

	held  []byte // the body, if whole
	whole bool

	to       *pool.Backend
	claimed  bool // to has still to be told how the attempt ended
	bc       *backend.Conn
	res      *wire.Response
	code     int    // its status; 0 before it came
	part     []byte // the body of the answer, if it is short
	short    bool
	judged   bool    // it is known whether it is
	upload   *upload // of a body that was too large to hold
	attempts int
	retry    retry // what the attempts so far allow
	reused   bool
	asked    time.Time     // when the running attempt began
	took     time.Duration // the last attempt, to the end of its answer

	answered bool // a byte of the final answer may have been sent
	status   int
	reason   reason.Reason
	bytesOut int64

	out     []byte // the request as a backend gets it
	text    []byte // scratch for numbers and addresses
	id      [32]byte
	traced  bool // the exchange is a span
	place   traces.Place
	entry   accesslog.Entry
	forward [8][]byte // values of X-Forwarded-For
}

var exchanges = sync.Pool{New: func() any {
	return &exchange{out: make([]byte, 0, 4<<10), text: make([]byte, 0, 128)}
}}

// begin borrows an exchange for the next request on a lane.
func (l *lane) begin(s wire.Stream, start time.Time) *exchange {
	x, c := exchanges.Get().(*exchange), l.conn
	x.conn, x.lane, x.stream, x.client, x.start = c, l, s, c.client, start
	x.listener = c.listener.station.current.Load()
	l.running = x
	return x
}

// end gives x back.
func (x *exchange) end() {
	x.retry.end(x)
	out := x.out[:0]
	if cap(out) > 16<<10 {
		out = make([]byte, 0, 4<<10)
	}
	*x = exchange{out: out, text: x.text[:0], retry: retry{failed: x.retry.failed[:0]}}
	exchanges.Put(x)
}

// refusals holds one error for each reason the gate itself has to say no, so
// that a refusal costs no allocation.
var refusals = newRefusals()

func newRefusals() (all [reason.Count]wire.Error) {
	for r := range all {
		all[r] = wire.Error{Reason: reason.Reason(r), What: reason.Reason(r).Detail()}
	}
	return all
}

// refused returns the error that ends an exchange with r.
func refused(r reason.Reason) error { return &refusals[r] }
