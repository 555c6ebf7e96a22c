package h2

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/proxy/wire"
)

// round is a connection on which a client says the same again and again, on a new stream
// each time, when it is asked to.
type round struct {
	net.Conn // nil: what is not overridden is not used
	begin    string
	says     []byte
	streams  []int // where the frames of says have their stream
	id       uint32
	next     chan struct{}
	at       int
}

func (r *round) Read(p []byte) (int, error) {
	if r.begin != "" {
		n := copy(p, r.begin)
		r.begin = r.begin[n:]
		return n, nil
	}
	if r.at == 0 {
		if _, ok := <-r.next; !ok {
			return 0, io.EOF
		}
		for _, at := range r.streams {
			binary.BigEndian.PutUint32(r.says[at:], r.id)
		}
		r.id += 2
	}
	n := copy(p, r.says[r.at:])
	r.at = (r.at + n) % len(r.says)
	return n, nil
}

func (r *round) Write(p []byte) (int, error)      { return len(p), nil }
func (r *round) SetReadDeadline(time.Time) error  { return nil }
func (r *round) SetWriteDeadline(time.Time) error { return nil }

// crew serves streams on goroutines that were there before.
type crew struct {
	conn    *Conn
	streams chan *Stream
	flushes chan struct{}
	served  chan struct{}
}

func (c *crew) Serve(s *Stream) { c.streams <- s }
func (c *crew) Flush()          { c.flushes <- struct{}{} }

func (c *crew) serve() {
	for s := range c.streams {
		s.ReadHead(time.Time{})
		s.Hold(wire.MaxHold)
		s.Start(200)
		s.Field("content-type", contentType)
		s.Frame(int64(len(answerBody)))
		s.Finish(answerBody, nil)
		s.End()
		c.served <- struct{}{}
	}
}

func (c *crew) flush() {
	for range c.flushes {
		c.conn.Flush()
	}
}

var contentType, answerBody = []byte("application/json"), make([]byte, 258)

// warm returns a connection on which one request after the other is asked by the
// function.
func warm(t testing.TB, says string) (once func()) {
	config := patient()
	config.Total = 1 << 30
	r := &round{begin: preface + settings(4, maxFrame) + update(0, 1<<30), says: []byte(says), id: 1, next: make(chan struct{})}
	for at := 0; at < len(says); at += headSize + parseFrame(r.says[at:]).length {
		if parseFrame(r.says[at:]).stream != 0 {
			r.streams = append(r.streams, at+5)
		}
	}
	c := &crew{conn: new(Conn), streams: make(chan *Stream, 1), flushes: make(chan struct{}, 1), served: make(chan struct{})}
	c.conn.Init(r, config, c)
	ended := make(chan error)
	go c.serve()
	go c.flush()
	go func() { ended <- c.conn.Serve(awake) }()
	t.Cleanup(func() {
		close(r.next)
		require.Equal(t, io.EOF, <-ended)
		close(c.streams)
		close(c.flushes)
	})
	return func() {
		r.next <- struct{}{}
		<-c.served
	}
}

var rounds = map[string]string{
	"no body":    get(1, "user-agent", "a browser", "accept", "*/*"),
	"small body": post(1, "content-length", "995") + last(1, letters(995)),
	"no length":  post(1) + last(1, letters(995)),
	"large body": post(1, "content-length", "60000") + strings.Repeat(part(1, letters(12000)), 5) + last(1, ""),
	"trailers":   post(1) + part(1, letters(995)) + raw(frameHeaders, 5, 1, ""),
	"continue":   post(1, "content-length", "5", "expect", "100-continue") + last(1, "hello"),
	"crumbs":     get(1, "cookie", "a=b", "cookie", "c=d"),
	"windows":    get(1) + update(1, 258) + update(0, 258),
}

func TestAnExchangeAllocatesNothing(t *testing.T) {
	if racing {
		t.Skip("the race detector makes pools forget")
	}
	for name, says := range rounds {
		t.Run(name, func(t *testing.T) {
			once := warm(t, says)
			for range 100 {
				once()
			}
			assert.Less(t, testing.AllocsPerRun(1000, once), 0.1)
		})
	}
}

func BenchmarkExchange(b *testing.B) {
	for name, says := range rounds {
		b.Run(name, func(b *testing.B) {
			once := warm(b, says)
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}
