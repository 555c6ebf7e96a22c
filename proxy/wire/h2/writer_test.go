package h2

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// counted counts the writes of a connection, and can have them fail.
type counted struct {
	net.Conn
	writes atomic.Int32
	broken atomic.Bool
}

var errBroken = errors.New("broken")

func (c *counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	if c.broken.Load() {
		return 0, errBroken
	}
	return c.Conn.Write(p)
}

// dialCounted is dial on a connection whose writes are counted.
func dialCounted(t *testing.T, config *Config, serve func(*Stream)) (*client, *counted) {
	near, far := loopback(t)
	nc := &counted{Conn: far}
	return attach(t, near, nc, config, serve), nc
}

func TestAnswersThatAreReadyTogetherLeaveTogether(t *testing.T) {
	c, nc := dialCounted(t, patient(), answering(100))
	c.say(preface, settings()).hears("settings | 0 +983041 | settings ack")
	before := nc.writes.Load()
	c.say(repeated(100, func(id uint32) string { return get(id) }))
	assert.Equal(t, 10000, c.takes(10000))
	assert.Less(t, nc.writes.Load()-before, int32(50), "writes for 100 answers")
}

func TestAnAnswerIsOneWrite(t *testing.T) {
	c, nc := dialCounted(t, patient(), answering(10000))
	c.say(preface, settings()).hears("settings | 0 +983041 | settings ack")
	for id := uint32(1); id < 20; id += 2 {
		c.conn.waitUntil(t, func() bool { return c.conn.working == 0 && !c.conn.flushing && c.conn.out == nil })
		before := nc.writes.Load()
		c.say(get(id))
		c.takes(10000)
		assert.Equal(t, int32(1), nc.writes.Load()-before)
		c.say(update(0, 10000))
	}
}

func TestAWriteThatFailsEndsEverything(t *testing.T) {
	first, second := make(chan error), make(chan error)
	body := make(chan error, 1)
	c, nc := dialCounted(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		ends := map[uint32]chan error{1: first, 3: second}[s.id]
		if ends == nil { // waits for its body
			_, err := readBody(s)
			body <- err
			return
		}
		ends <- nil
		s.Start(200)
		s.Frame(0)
		ends <- s.Finish(nil, nil)
	})
	c.say(preface, settings()).hears("settings | 0 +983041 | settings ack")
	c.say(get(1), get(3), post(5, "content-length", "70000")).fence()
	c.conn.waitUntil(t, func() bool { return c.conn.working == 3 && !c.conn.flushing && c.conn.out == nil })
	nc.broken.Store(true)
	<-first
	assert.Equal(t, ErrUnwritten, <-first, "the answer that was written")
	<-second
	assert.Equal(t, reason.ClientClosed, wire.ReasonOf(<-second, reason.OK), "an answer that comes later")
	assert.Equal(t, io.EOF, c.waits())
	assert.Equal(t, reason.ClientClosed, wire.ReasonOf(<-body, reason.OK), "a body that does not come")
	c.conn.Wait()
}

// Pages send what they have to say when they are left, and nobody is there for the
// answer.
func TestEventsOfAClientThatHasGoneAreStillRead(t *testing.T) {
	bodies := make(chan string, 2)
	c, nc := dialCounted(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		body, err := readBody(s)
		assert.NoError(t, err)
		s.Start(200)
		s.Frame(0)
		s.Finish(nil, nil)
		bodies <- string(body)
	})
	c.say(preface, settings()).hears("settings | 0 +983041 | settings ack")
	nc.broken.Store(true)
	c.say(post(1), last(1, "hello"))
	assert.Equal(t, "hello", <-bodies)
	c.say(post(3), last(3, "again"))
	assert.Equal(t, "again", <-bodies)
	c.say(post(5, "expect", "100-continue"))
	c.conn.waitUntil(t, func() bool { return len(c.conn.streams) == 1 && c.conn.streams[0].continued })
	c.say(last(5, "at last"))
	assert.Equal(t, "at last", <-bodies)
	assert.Equal(t, io.EOF, c.waits())
}

// waits returns why the served connection ended, by itself.
func (c *client) waits() error {
	c.conn.nc.(*counted).Conn.(*net.TCPConn).CloseRead() // for the lingering of attach alone
	c.Close()
	<-c.ended
	return c.err
}

func TestAClientThatDoesNotReadIsGivenUp(t *testing.T) {
	config := patient()
	config.Write = 300 * time.Millisecond
	errs := make(chan error, 1)
	c := pipe(t, config, func(s *Stream) {
		s.ReadHead(time.Now())
		s.Start(200)
		s.Frame(wire.Unknown)
		var err error
		for err == nil {
			err = s.Write(make([]byte, 10000))
		}
		errs <- err
	}).greet(4, 1<<31-1)
	c.say(update(0, 1<<31-1-65535), get(1))
	select {
	case err := <-errs:
		assert.NotNil(t, err)
	case <-time.After(10 * time.Second):
		t.Error("it is waited for")
	}
	<-c.ended
	assert.Equal(t, ErrUnwritten, c.err)
}

// What is kept for a client that does not read is bounded, whatever it asks for.
func TestWhatIsNotReadIsBounded(t *testing.T) {
	t.Run("answers", func(t *testing.T) {
		c := pipe(t, patient(), func(s *Stream) {
			answering(200 << 10)(s)
		}).greet(4, 1<<31-1)
		c.say(update(0, 1<<31-1-65535), repeated(50, func(id uint32) string { return get(id) }))
		held := 0
		c.conn.waitUntil(t, func() bool {
			if c.conn.out != nil { // it is on its way now and then
				held = max(held, len(c.conn.out.b))
			}
			return c.conn.crowded
		})
		assert.Less(t, held, outFull+maxFrame+100*50)
		assert.Equal(t, 50*200<<10, c.takes(50*200<<10))
	})
	t.Run("what the reader says", func(t *testing.T) {
		c := pipe(t, patient(), echo).greet()
		c.say(get(1<<20 + 1)).hears("1048577 200.")
		ended := make(chan struct{})
		go func() { // more than it is read
			defer close(ended)
			for id := uint32(3); id < 1<<20; id += 2 {
				if _, err := io.WriteString(c, part(id, letters(tinyData))); err != nil {
					return
				}
			}
			t.Error("it was read to its end")
		}()
		c.conn.waitUntil(t, func() bool {
			if c.conn.out != nil {
				require.Less(t, len(c.conn.out.b), outControl+inSize)
			}
			return c.conn.written != nil
		})
		c.Close()
		<-ended
	})
}

// The last frames have little time, whatever is being written.
func TestAMistakeEndsAConnectionThatIsNotRead(t *testing.T) {
	c := pipe(t, patient(), answering(1<<20)).greet(4, 1<<31-1)
	c.say(update(0, 1<<31-1-65535), get(1))
	c.conn.waitUntil(t, func() bool { return c.conn.crowded })
	c.say(part(0, ""))
	select {
	case <-c.ended:
	case <-time.After(10 * time.Second):
		t.Error("it is written to for as long as any other")
	}
}

// late is a connection on which no write succeeds, of which the reader learns just
// before it sets its deadline.
type late struct {
	net.Conn
	conn *Conn
	why  error
}

func (l *late) Write([]byte) (int, error) { return 0, l.why }

func (l *late) SetReadDeadline(t time.Time) error {
	for t.After(time.Now()) && !l.conn.cannotWrite() {
		l.conn.Flush()
	}
	return l.Conn.SetReadDeadline(t)
}

// serveLate serves one and returns the client's end, and why it ended.
func serveLate(t *testing.T, why error, serve func(*Stream)) (near net.Conn, ended chan error) {
	near, far := loopback(t)
	c := new(Conn)
	h := &hands{conn: c, serve: serve}
	c.Init(&late{Conn: far, conn: c, why: why}, patient(), h)
	ended = make(chan error, 1)
	go func() { ended <- c.Serve(awake) }()
	t.Cleanup(func() {
		near.Close()
		h.work.Wait()
		far.Close()
	})
	return near, ended
}

// The reader's deadline may not undo that of the write that failed.
func TestTheReaderSeesAWriteThatFailsBeforeItWaits(t *testing.T) {
	_, ended := serveLate(t, os.ErrDeadlineExceeded, echo)
	select {
	case err := <-ended:
		assert.Equal(t, ErrUnwritten, err)
	case <-time.After(5 * time.Second):
		t.Error("the reader waits for a client that takes nothing any more")
	}
}

// A client that has gone says so by the end of what it has sent.
func TestAFailedWriteKeepsNoEventFromBeingRead(t *testing.T) {
	bodies := make(chan string, 1)
	near, ended := serveLate(t, errBroken, func(s *Stream) {
		body, _ := readBody(s)
		bodies <- string(body)
	})
	text := letters(3 * maxFrame)
	io.WriteString(near, preface+settings()+post(1)+part(1, text[:maxFrame])+part(1, text[maxFrame:2*maxFrame])+last(1, text[2*maxFrame:]))
	near.Close()
	assert.Equal(t, io.EOF, <-ended)
	require.Len(t, bodies, 1)
	assert.Equal(t, text, <-bodies)
}
