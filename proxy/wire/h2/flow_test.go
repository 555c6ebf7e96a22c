package h2

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/trackgate/trackgate/proxy/wire"
)

func TestAnswersWaitForWindows(t *testing.T) {
	const most = 1<<31 - 1
	for name, talk := range map[string]talk{
		"no window at all": {settings(4, 0) + get(1), "1 200", update(1, 5), "1 \"00000\"",
			update(1, 1<<20), "1 data 16384 | 1 data 16384 | 1 data 16384 | 1 data 843."},
		"small steps": {settings(4, 1) + get(1), "1 200 | 1 \"0\"", update(1, 1), "1 \"0\"", update(1, 2), "1 \"00\"", "", "",
			update(1, 49996), "1 data 16384 | 1 data 16384 | 1 data 16384 | 1 data 844."},
		"a window by settings": {settings(4, 0) + get(1), "1 200", settings(4, 3), "1 \"000\"",
			settings(4, 50000), "1 data 16384 | 1 data 16384 | 1 data 16384 | 1 data 845."},
		"one that was taken back": {settings(4, 10) + get(1), "1 200 | 1 \"000000.000\"", settings(4, 4) + update(1, 6), "",
			update(1, 1), "1 \"0\"", settings(4, 60000), "1 data 16384 | 1 data 16384 | 1 data 16384 | 1 data 837."},
		"a window that is just enough": {settings(4, 50000, 5, 1<<24-1) + get(1), "1 200 | 1 data 16384 | 1 data 16384 | 1 data 16384 | 1 data 848."},
		"up to the bound":              {update(0, most-65535) + get(1) + update(1, most-65535), "1 200 | 1 data 16384 | 1 data 16384 | 1 data 16384 | 1 data 848."},
		"over the bound":               {post(1) + update(1, most-65534), "1 reset FLOW_CONTROL_ERROR"},
		"over it by settings":          {post(1) + update(1, most-65535), "", settings(4, 65536), "bye 1 FLOW_CONTROL_ERROR"},
		"over it, for all":             {update(0, most-65534), "bye 0 FLOW_CONTROL_ERROR"},
		"a head needs no window":       {settings(4, 0) + raw(frameHeaders, 5, 1, plain("HEAD", "/")), "1 200."},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, patient(), answering(50000)).greet()
			c.deaf = true
			talk.with(c)
		})
	}
}

func TestAllStreamsShareTheWindowOfTheConnection(t *testing.T) {
	c := dial(t, patient(), answering(50000)).greet()
	c.say(get(1), get(3), get(5))
	assert.Equal(t, 65535, c.takes(65535))
	c.conn.mu.Lock()
	assert.Zero(t, c.conn.window)
	c.conn.mu.Unlock()
	for left := 150000 - 65535; left > 0; left -= c.takes(min(left, 20000)) {
		c.say(update(0, 20000))
	}
	c.closes("")
}

// takes reads until n bytes of DATA have come, and returns how many have. No frame may
// be larger than any client must take.
func (c *client) takes(n int) (got int) {
	for got < n {
		c.SetReadDeadline(time.Now().Add(c.patience))
		f, err := c.frames.ReadFrame()
		require.NoError(c.t, err)
		assert.LessOrEqual(c.t, f.Header().Length, uint32(maxFrame))
		if d, ok := f.(*http2.DataFrame); ok {
			got += len(d.Data())
		}
	}
	return got
}

func TestABodyThatIsNotReadStopsAtTheWindow(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	c := dial(t, patient(), func(s *Stream) {
		if s.id == 1 {
			<-hold
		}
		echo(s)
	}).greet()
	c.say(post(1), strings.Repeat(part(1, letters(maxFrame)), 4)).fence()
	assert.Equal(t, wire.MaxHold, c.held(1))
	c.say(get(3)).hears("3 200.")
	c.say(post(5), last(5, "hello")).hears("5 200 | 5 \"hello\".")
	c.say(part(1, "x")).hears("1 reset FLOW_CONTROL_ERROR")
	c.say(get(7)).hears("7 200.")
}

// held returns how many bytes of a stream's body are kept.
func (c *client) held(id uint32) int {
	c.conn.mu.Lock()
	defer c.conn.mu.Unlock()
	s := c.conn.find(id)
	return len(s.held) + s.w - s.r
}

func TestPaddingIsGivenBackAtOnce(t *testing.T) {
	hold := make(chan struct{})
	c := dial(t, patient(), func(s *Stream) { <-hold; echo(s) }).greet()
	padded := raw(frameData, flagPadded, 1, "\xff"+letters(1)+strings.Repeat("\x00", 255))
	c.say(post(1), strings.Repeat(padded, 200)).hears("1 +32768")
	c.say(last(1, "x"))
	close(hold)
	c.hears("1 200 | 1 data 201.")
}

// What was read is given back, in steps that are worth a frame.
func TestAWindowIsGivenBackAsTheBodyIsRead(t *testing.T) {
	read, was := make(chan int), make(chan int)
	defer close(read)
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		s.Hold(wire.MaxHold)
		for n := range read {
			got, _ := io.ReadFull(s, make([]byte, n))
			was <- got
		}
		s.Abort(0)
	}).greet()
	c.say(post(1, "content-length", "300000")).fence() // which is not held
	c.say(strings.Repeat(part(1, letters(maxFrame)), 4))
	for range 3 {
		read <- 20000
		<-was
		c.fence()
		read <- 20000
		<-was
		c.hears("1 +40000")
		c.say(part(1, letters(10000)), part(1, letters(10000)), part(1, letters(10000)), part(1, letters(10000)))
	}
	c.say(reset(1))
}

func TestTheWindowOfTheConnectionIsGivenBackAsFramesArrive(t *testing.T) {
	hold := make(chan struct{})
	c := dial(t, patient(), func(s *Stream) { <-hold; refuse(s, wire.ErrBody) }).greet()
	defer close(hold)
	c.deaf = true
	for id := uint32(1); id < 65; id += 2 { // twice the window
		c.say(post(id), strings.Repeat(part(id, letters(maxFrame)), 4))
		if id == 15 || id == 31 || id == 47 || id == 63 {
			c.hears("0 +524288")
		}
	}
	c.fence()
}

func TestAClientThatOpensNoWindowIsGivenUp(t *testing.T) {
	config := patient()
	config.Write = 150 * time.Millisecond
	for name, shut := range map[string]string{"its stream's": settings(4, 0), "the connection's": ""} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, config, answering(70000)).greet()
			c.deaf = true
			c.say(shut, get(1)).hears("1 200")
			if shut == "" {
				c.takes(65535)
			}
			c.hears("1 reset ENHANCE_YOUR_CALM")
			c.say(settings(4, 1<<20), update(0, 1<<20), get(3)).hears("3 200")
			c.takes(70000)
			assert.NoError(t, c.Close())
		})
	}
	t.Run("or one that only closed its side", func(t *testing.T) {
		c := dial(t, patient(), answering(70000)).greet()
		c.deaf = true
		c.say(settings(4, 0), get(1)).hears("1 200")
		c.Conn.(*net.TCPConn).CloseWrite()
		assert.Contains(t, c.rest(), "1 reset ENHANCE_YOUR_CALM")
	})
	t.Run("or that opens it by a crumb at a time", func(t *testing.T) {
		c := dial(t, config, answering(70000)).greet()
		c.deaf = true
		c.say(settings(4, 0), get(1)).hears("1 200")
		begun := time.Now()
		drip(t, c, update(1, 1))
		for line := c.next(); line != "" && line != "1 reset ENHANCE_YOUR_CALM"; line = c.next() {
			require.Contains(t, line, "1 \"")
		}
		assert.Less(t, time.Since(begun), 4*time.Second)
		c.Close()
	})
}

func TestABodyMustComeAtARate(t *testing.T) {
	config := patient()
	config.Grace, config.Rate = 200*time.Millisecond, 10000
	for name, head := range map[string]string{
		"while it is collected":    post(1),
		"while it is waited for":   post(1, "content-length", "70000"),
		"while it is expected too": post(1, "expect", "100-continue"),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, config, echo).greet()
			c.say(head)
			drip(t, c, part(1, "x"))
			line := c.next()
			if line == "1 100" {
				line = c.next()
			}
			assert.Equal(t, "1 408.", line)
			c.Close()
		})
	}
	t.Run("and does", func(t *testing.T) {
		c := dial(t, config, echo).greet()
		c.say(post(1))
		for range 10 {
			c.say(part(1, letters(5000)))
		}
		c.say(last(1, "")).hears("1 200")
		c.takes(50000)
	})
}

func TestABodyThatStopsIsNotWaitedFor(t *testing.T) {
	config := patient()
	config.Body = 100 * time.Millisecond
	for _, head := range []string{post(1), post(1, "content-length", "70000"), post(1, "content-length", "5")} {
		c := dial(t, config, echo).greet()
		c.say(head, part(1, "hell")).hears("1 408. | 1 reset NO_ERROR")
		c.say(get(3)).hears("3 200.")
	}
}

// A window that padding has used up is opened again before the body is read: nobody reads
// it before it is whole.
func TestPaddingDoesNotShutTheWindow(t *testing.T) {
	c := dial(t, patient(), echo).greet()
	c.say(post(1), raw(frameData, flagPadded, 1, "\x63"+letters(900)+strings.Repeat("\x00", 99)))
	for left := streamWindow - 1000; left > 0; left -= maxFrame {
		c.say(part(1, letters(min(left, maxFrame))))
	}
	assert.Equal(t, "1 +100", c.next())
	c.say(update(0, streamWindow), update(1, streamWindow), last(1, letters(100)))
	assert.Equal(t, streamWindow, c.takes(streamWindow))
}

// Nothing else would wake who waits for a window: no frame speaks of the stream any more.
func TestAResetEndsTheWaitForAWindow(t *testing.T) {
	ended := make(chan error, 1)
	c := dial(t, patient(), func(s *Stream) {
		s.ReadHead(time.Now())
		s.Start(200)
		s.Frame(wire.Unknown)
		ended <- s.Write([]byte(letters(200000)))
	}).greet()
	c.say(get(1))
	c.takes(65535)
	c.say(reset(1))
	select {
	case err := <-ended:
		assert.Equal(t, errGone, err)
	case <-time.After(c.patience):
		t.Error("it waits on")
	}
}
