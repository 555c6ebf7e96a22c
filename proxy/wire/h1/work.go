package h1

import (
	"sync"
	"time"

	"github.com/trackgate/trackgate/proxy/wire"
)

// Sizes of what a connection borrows while it works.
const (
	inSize  = 8 << 10  // what is read ahead: head and small body
	outSize = 4 << 10  // head and small body of an answer
	joined  = 16 << 10 // head and body of an answer up to this size leave in one write
)

// work is what a connection needs while an exchange runs, and gives back.
type work struct {
	in    []byte // in[r:w] was read and not used yet
	r, w  int
	base  int // end of the head in in; what stands before it belongs to req
	out   []byte
	body  []byte // nil, or a buffer from one of the pools of bodies
	scan  Scanner
	req   wire.Request
	left  int64 // bytes of a body with a length that were not read yet
	taken int64 // bytes of the body that were read
	chunk Chunks

	waited    time.Duration // for the client to send the body
	continued bool          // 100 was sent, or there is no need for it
	status    int           // of the answer; 0 until it is started
	length    int64         // of its body; wire.Unknown is chunked or ends by close
	sent      int64         // bytes of its body that were written
	chunked   bool
	bodyless  bool
}

// workPool is where works wait for a connection.
var workPool = sync.Pool{New: func() any { return &work{in: make([]byte, inSize), out: make([]byte, 0, outSize)} }}

// recycle gives the buffers back. A work whose buffers grew is left to the
// collector, so that one large head does not stay.
func (w *work) recycle() {
	w.dropBody()
	if cap(w.in) != inSize || cap(w.out) > joined {
		return
	}
	w.r, w.w, w.base = 0, 0, 0
	workPool.Put(w)
}

// begin makes w ready for the next head; what was read ahead moves to the front.
func (w *work) begin() {
	w.dropBody()
	w.w = copy(w.in, w.in[w.r:w.w])
	w.r, w.base = 0, 0
	w.scan = Scanner{}
	w.req.Reset()
	w.chunk.Reset()
	w.left, w.taken, w.waited = 0, 0, 0
	w.continued, w.status, w.length, w.chunked, w.bodyless = false, 0, 0, false, false
	w.out = w.out[:0]
}

// room makes space behind in[:w.w]. A buffer that is full is replaced by one of
// twice the size; the old one stays alive as long as the request points to it.
func (w *work) room() []byte {
	if w.r == w.w && w.base > 0 && cap(w.in)-w.base >= 1<<10 {
		w.r, w.w = w.base, w.base
	}
	if w.w == len(w.in) {
		grown := make([]byte, 2*len(w.in))
		copy(grown, w.in)
		w.in = grown
	}
	return w.in[w.w:]
}

// take uses n bytes of what was read ahead.
func (w *work) take(n int) []byte {
	p := w.in[w.r : w.r+n : w.r+n]
	w.r += n
	return p
}

// bodyRoom returns the buffer for a body of which have bytes are there and that
// is to take up to need.
func (w *work) bodyRoom(have, need int) []byte {
	w.body = wire.BodyRoom(w.body, have, need)
	return w.body
}

func (w *work) dropBody() {
	wire.DropBody(w.body)
	w.body = nil
}
