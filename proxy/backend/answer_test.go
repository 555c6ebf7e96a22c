package backend

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// chunkedAnswer has all that an answer may have.
const chunkedAnswer = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" +
	"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" +
	"5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\nx-sum: 11\r\n\r\n"

// Every kind of answer: what is read of it, and whether the connection may be
// kept after it.
var answers = []struct {
	name, method, text string
	end                bool // the backend closes after it
	want               reply
	kept               bool
}{
	{name: "length", method: "POST", text: answer, want: reply{status: 200, body: "ok"}, kept: true},
	{name: "empty", method: "POST", text: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", want: reply{status: 200}, kept: true},
	{name: "chunked", method: "POST", text: chunkedAnswer, want: reply{200, "hello world", "x-sum=11;"}, kept: true},
	{name: "until close", method: "GET", text: "HTTP/1.1 200 OK\r\n\r\nall of it", end: true, want: reply{status: 200, body: "all of it"}},
	{name: "nothing until close", method: "GET", text: "HTTP/1.1 200 OK\r\n\r\n", end: true, want: reply{status: 200}},
	{name: "HEAD", method: "HEAD", text: "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n", want: reply{status: 200}, kept: true},
	{name: "HEAD, chunked", method: "HEAD", text: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", want: reply{status: 200}, kept: true},
	{name: "HEAD, no length", method: "HEAD", text: "HTTP/1.1 200 OK\r\n\r\n", want: reply{status: 200}, kept: true},
	{name: "204", method: "POST", text: "HTTP/1.1 204 No Content\r\n\r\n", want: reply{status: 204}, kept: true},
	{name: "304", method: "GET", text: "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n", want: reply{status: 304}, kept: true},
	{name: "1xx before", method: "POST", text: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxInterim) + answer, want: reply{status: 200, body: "ok"}, kept: true},
	{name: "asks to close", method: "POST", text: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok", want: reply{status: 200, body: "ok"}},
	{name: "HTTP/1.0", method: "POST", text: "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", want: reply{status: 200, body: "ok"}},
	{name: "excess behind a length", method: "POST", text: answer + "x", want: reply{status: 200, body: "ok"}},
	{name: "excess behind chunks", method: "POST", text: chunkedAnswer + "x", want: reply{200, "hello world", "x-sum=11;"}},
	{name: "excess behind a 204", method: "POST", text: "HTTP/1.1 204 No Content\r\n\r\nx", want: reply{status: 204}},
	{name: "a body behind HEAD", method: "HEAD", text: answer, want: reply{status: 200}},
	{name: "two answers", method: "POST", text: answer + answer, want: reply{status: 200, body: "ok"}},
	{name: "large head", method: "POST", text: "HTTP/1.1 200 OK\r\nx: " + strings.Repeat("y", 60<<10) + "\r\ncontent-length: 2\r\n\r\nok", want: reply{status: 200, body: "ok"}, kept: true},
	{name: "large body", method: "POST", text: "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + strings.Repeat("y", 100000), want: reply{status: 200, body: strings.Repeat("y", 100000)}, kept: true},
}

func TestAnswers(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for _, test := range answers {
			t.Run(test.name, func(t *testing.T) {
				k := backendThat(t, patient, func(c far) {
					hear(c)
					io.WriteString(c, test.text)
					if !test.end {
						untilEnd(c)
					}
				})
				c := dial(t, k)
				got, err := talk(c, test.method)
				require.NoError(t, err)
				assert.Equal(t, test.want, got)
				k.Put(c, time.Now())
				assert.Equal(t, test.kept, k.Len() == 1, "kept")
			})
		}
	})
}

// However the bytes come, the answer is the same.
func TestAnswersInPieces(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for at := 1; at < len(chunkedAnswer); at++ {
			k := backendThat(t, patient, func(c far) {
				for hear(c) {
					io.WriteString(c, chunkedAnswer[:at])
					<-time.After(500 * time.Microsecond) // the first piece is usually read alone
					io.WriteString(c, chunkedAnswer[at:])
				}
			})
			got, err := talk(dial(t, k), "POST")
			require.NoError(t, err, "split at %d", at)
			require.Equal(t, reply{200, "hello world", "x-sum=11;"}, got, "split at %d", at)
		}
	})
}

func TestAnswersByteByByte(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for _, text := range []string{answer, chunkedAnswer} {
			k := backendThat(t, patient, func(c far) {
				for hear(c) {
					for i := range len(text) {
						io.WriteString(c, text[i:i+1])
						<-time.After(100 * time.Microsecond)
					}
				}
			})
			c := kept(t, k)
			got, err := talk(c, "POST")
			require.NoError(t, err)
			assert.Equal(t, 200, got.status)
			k.Put(c, time.Now())
			assert.Equal(t, 1, k.Len())
		}
	})
}

// What cannot be read with certainty is no answer.
func TestGarbledAnswers(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		flood := strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", maxInterim+1)
		for name, text := range map[string]string{
			"no HTTP":                 "SSH-2.0-OpenSSH_9.2\r\n\r\n",
			"another version":         "HTTP/2.0 200 OK\r\n\r\n",
			"bare line feeds":         "HTTP/1.1 200 OK\ncontent-length: 0\n\n",
			"two lengths":             "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
			"length and chunks":       "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
			"a length that is none":   "HTTP/1.1 200 OK\r\ncontent-length: +1\r\n\r\na",
			"status of four digits":   "HTTP/1.1 2000 OK\r\n\r\n",
			"head over 64 KiB":        "HTTP/1.1 200 OK\r\nx: " + strings.Repeat("y", 64<<10) + "\r\n\r\n",
			"head without an end":     "HTTP/1.1 200 OK\r\nx: " + strings.Repeat("y", 70<<10),
			"informational, for ever": flood + answer,
			"a chunk size that fails": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n",
			"chunk without its end":   "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc",
		} {
			t.Run(name, func(t *testing.T) {
				k := backendThat(t, patient, func(c far) {
					hear(c)
					io.WriteString(c, text)
					untilEnd(c)
				})
				c := dial(t, k)
				_, err := talk(c, "GET")
				result := failure(t, err, Garbled)
				assert.Equal(t, reason.BackendMalformed, result.Reason())
				assert.False(t, MayRepeat(err))
				assert.Contains(t, err.Error(), ": backend_malformed: ")
				assert.Equal(t, 1, strings.Count(err.Error(), "_"), "one reason: %v", err)
				k.Put(c, time.Now())
				assert.Zero(t, k.Len())
			})
		}
	})
}

// An answer that ends too early is never taken for a whole one.
func TestAnswersThatEndTooEarly(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for name, text := range map[string]string{
			"in the status line": "HTTP/1.1 2",
			"in the fields":      "HTTP/1.1 200 OK\r\ncontent-le",
			"after a 1xx":        "HTTP/1.1 100 Continue\r\n\r\n",
			"in the length":      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
			"in a chunk":         "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nok",
			"between two chunks": "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
			"in the trailers":    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: y\r\n",
		} {
			t.Run(name, func(t *testing.T) {
				k := backendThat(t, patient, func(c far) {
					hear(c)
					io.WriteString(c, text)
				})
				_, err := talk(dial(t, k), "GET")
				failure(t, err, Closed)
				assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			})
		}
	})
}

// A body that ends by close is only whole when the backend says so.
func TestAResetInABodyUntilClose(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		heard := make(chan struct{})
		k := backendThat(t, patient, func(c far) {
			hear(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nhalf of")
			<-heard
			reset(c)
		})
		c := dial(t, k)
		require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now()))
		close(heard)
		r, err := readAll(c, "GET")
		failure(t, err, Closed)
		assert.Equal(t, 200, r.status)
	})
}

// A head that comes a byte at a time has no more time than any other.
func TestAHeadThatNeverEnds(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, hasty, func(c far) {
			hear(c)
			for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
				if _, err := io.WriteString(c, "H"); err != nil {
					return
				}
			}
		})
		start := time.Now()
		_, err := talk(dial(t, k), "GET")
		failure(t, err, Timeout)
		assert.Less(t, time.Since(start), hasty.Response+deadlineSlack+soon)
	})
}

// A backend that says it is at work has its time anew.
func TestAnInformationalAnswerGivesTheNextOneItsTime(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		opts := Options{Connect: time.Second, Response: 2 * deadlineSlack}
		k := backendThat(t, opts, func(c far) {
			hear(c)
			for range 3 {
				<-time.After(deadlineSlack)
				io.WriteString(c, "HTTP/1.1 102 Processing\r\n\r\n")
			}
			io.WriteString(c, answer)
			untilEnd(c)
		})
		_, err := talk(dial(t, k), "GET")
		assert.NoError(t, err)
	})
}

// pauses are a body in parts with a pause before each.
func pauses(n int, pause time.Duration) func(far) {
	return func(c far) {
		hear(c)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n", n)
		for range n {
			<-time.After(pause)
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
		}
	}
}

func TestABodyMayTakeItsTimeButNotPause(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		read := map[string]func(*Conn) error{
			"ReadBody": func(c *Conn) error {
				_, err := readAll(c, "GET")
				return err
			},
			"Hold": func(c *Conn) error {
				_, err := c.ReadHead([]byte("GET"))
				if err == nil {
					_, _, err = c.Hold(100)
				}
				return err
			},
		}
		opts := Options{Connect: 5 * time.Second, Response: time.Second}
		whole := opts.Response + deadlineSlack
		for name, read := range read {
			for pause, ok := range map[time.Duration]bool{whole / 25: true, whole * 2: false} {
				t.Run(fmt.Sprint(name, " ", ok), func(t *testing.T) {
					t.Parallel()
					c := dial(t, backendThat(t, opts, pauses(30, pause)))
					require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now()))
					if err := read(c); ok {
						assert.NoError(t, err)
					} else {
						failure(t, err, Timeout)
					}
				})
			}
		}
	})
}

func TestHold(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for _, test := range []struct {
			name, text string
			body       string
			held       bool
		}{
			{"fits", answer, "ok", true},
			{"nothing", "HTTP/1.1 204 No Content\r\n\r\n", "", true},
			{"is as long as allowed", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789", "0123456789", true},
			{"is too long", "HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n01234567890", "01234567890", false},
			{"has no length", chunkedAnswer, "hello world", false},
		} {
			t.Run(test.name, func(t *testing.T) {
				k := backendThat(t, patient, saying(test.text))
				c := dial(t, k)
				require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now()))
				res, err := c.ReadHead([]byte("POST"))
				for err == nil && res.Informational() {
					res, err = c.ReadHead([]byte("POST"))
				}
				require.NoError(t, err)

				p, held, err := c.Hold(10)

				require.NoError(t, err)
				assert.Equal(t, test.held, held)
				body := string(p)
				for last := held; !last; {
					p, last, err = c.ReadBody()
					require.NoError(t, err)
					body += string(p)
				}
				assert.Equal(t, test.body, body)
				k.Put(c, time.Now())
				assert.Equal(t, 1, k.Len())
			})
		}
	})
}

// Head and body may together be larger than the buffer was.
func TestHoldMakesRoom(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		body := strings.Repeat("b", inSize)
		k := backendThat(t, patient, saying("HTTP/1.1 200 OK\r\nx-long: "+strings.Repeat("y", 3000)+
			"\r\ncontent-length: "+fmt.Sprint(len(body))+"\r\n\r\n"+body))
		c := dial(t, k)
		require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now()))
		res, err := c.ReadHead([]byte("POST"))
		require.NoError(t, err)

		p, held, err := c.Hold(inSize)

		require.NoError(t, err)
		assert.True(t, held)
		assert.Equal(t, body, string(p))
		assert.Equal(t, "x-long", string(res.Fields.All()[0].Name), "the head is still valid")
		assert.Equal(t, strings.Repeat("y", 3000), string(res.Fields.All()[0].Value))
	})
}

func TestHoldOfABodyThatEndsTooEarly(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, func(c far) {
			hear(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok")
		})
		c := dial(t, k)
		require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now()))
		_, err := c.ReadHead([]byte("POST"))
		require.NoError(t, err)
		_, _, err = c.Hold(10)
		failure(t, err, Closed)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

// The trailers of one answer must not be sent behind another.
func TestTrailersOfTheAnswerBefore(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, saying(chunkedAnswer,
			"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", chunkedAnswer, answer))
		c := dial(t, k)
		for _, turn := range []struct {
			method string
			want   reply
		}{
			{"POST", reply{200, "hello world", "x-sum=11;"}},
			{"HEAD", reply{status: 200}},
			{"POST", reply{200, "hello world", "x-sum=11;"}},
			{"POST", reply{status: 200, body: "ok"}},
		} {
			got, err := talk(c, turn.method)
			require.NoError(t, err)
			assert.Equal(t, turn.want, got)
			k.Put(c, time.Now())
			require.Same(t, c, k.Kept(time.Now()))
		}
	})
}

func TestTunnel(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, func(c far) {
			hear(c)
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nfirst")
			io.Copy(c, c)
		})
		c := dial(t, k)
		require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now()))
		res, err := c.ReadHead([]byte("GET"))
		require.NoError(t, err)
		assert.Equal(t, 101, res.Status)
		assert.False(t, res.Informational())

		nc, ahead := c.Tunnel()

		got := string(ahead)
		io.WriteString(nc, "echo")
		for len(got) < len("firstecho") {
			p := make([]byte, 10)
			n, err := nc.Read(p)
			require.NoError(t, err)
			got += string(p[:n])
		}
		assert.Equal(t, "firstecho", got)
		k.Put(c, time.Now())
		assert.Zero(t, k.Len(), "it is no HTTP connection any more")
	})
}

func TestBuffered(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		more := make(chan struct{})
		k := backendThat(t, patient, func(c far) {
			hear(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
			<-more
			io.WriteString(c, "ok")
			untilEnd(c)
		})
		c := dial(t, k)
		require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now()))
		_, err := c.ReadHead([]byte("GET"))
		require.NoError(t, err)
		assert.False(t, c.Buffered())
		close(more)
		_, last, err := c.ReadBody()
		for ; err == nil && !last; _, last, err = c.ReadBody() {
		}
		require.NoError(t, err)
		assert.True(t, c.Buffered(), "its end needs no waiting")
	})
}
