package h1

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/proxy/wire"
)

// script is a connection on which a client says the same again and again.
type script struct {
	net.Conn // nil: what is not overridden is not used
	says     []byte
	at       int
}

func (s *script) Read(p []byte) (int, error) {
	if s.at == len(s.says) {
		s.at = 0
	}
	n := copy(p, s.says[s.at:])
	s.at += n
	return n, nil
}

func (s *script) Write(p []byte) (int, error)      { return len(p), nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }

// exchange serves one request as the gate does.
func exchange(c *ServerConn, now time.Time) error {
	if err := c.Await(now.Add(time.Minute)); err != nil {
		return err
	}
	if _, err := c.ReadHead(now); err != nil {
		return err
	}
	if _, _, err := c.Hold(wire.MaxHold); err != nil {
		return err
	}
	c.Start(200)
	c.Field("content-type", contentType)
	c.Frame(int64(len(answerBody)))
	if err := c.Finish(answerBody, nil); err != nil {
		return err
	}
	if !c.Next() {
		return io.EOF
	}
	return nil
}

var contentType, answerBody = []byte("application/json"), make([]byte, 258)

func TestAnExchangeAllocatesNothing(t *testing.T) {
	if racing {
		t.Skip("the race detector makes pools forget")
	}
	for name, says := range map[string]string{
		"no body": get("/"), "small body": post("/track", letters(995)), "large body": post("/track", letters(60000)),
		"chunked": chunkedPost(letters(995), 100, "X-Sum: 1"), "browser": browserHead + letters(1532),
		"continue":  "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello",
		"pipelined": get("/1") + post("/2", letters(995)) + get("/3"),
	} {
		t.Run(name, func(t *testing.T) {
			var c ServerConn
			c.Init(&script{says: []byte(says)}, patient())
			now := time.Now()
			once := func() { require.NoError(t, exchange(&c, now)) }
			once()
			assert.Less(t, testing.AllocsPerRun(300, once), 0.1)
		})
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	t.Run("request", func(t *testing.T) {
		buf, r := []byte(browserHead), new(wire.Request)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			copy(buf, browserHead)
			r.Reset()
			var s Scanner
			n, err := s.Scan(buf, usual)
			require.NoError(t, err)
			require.NoError(t, ParseRequest(buf[:n], r, usual))
			r.Fields.DropHops()
		}))
	})
	t.Run("response", func(t *testing.T) {
		buf, r, method := []byte(answerHead), new(wire.Response), []byte("POST")
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			copy(buf, answerHead)
			r.Reset()
			require.NoError(t, ParseResponse(buf, r, method))
		}))
	})
	t.Run("chunks", func(t *testing.T) {
		src, dst := []byte("3e3\r\n"+letters(995)+"\r\n0\r\nX-Sum: 1\r\n\r\n"), make([]byte, 995)
		var c Chunks
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			c.Reset()
			_, _, err := c.Decode(dst, src)
			require.NoError(t, err)
			require.True(t, c.Done())
		}))
	})
}

func BenchmarkExchange(b *testing.B) {
	for name, says := range map[string]string{"small": smallHead + letters(995), "browser": browserHead + letters(1532)} {
		b.Run(name, func(b *testing.B) {
			var c ServerConn
			c.Init(&script{says: []byte(says)}, patient())
			b.ReportAllocs()
			for b.Loop() {
				if err := exchange(&c, time.Now()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
