package backend

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a backend may do to a kept connection before it is used again.
var staleWays = map[string]func(far){
	"end":        func(c far) { c.Close() },
	"half":       func(c far) { c.CloseWrite() },
	"reset":      reset,
	"bytes":      func(c far) { io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\n\r\n") },
	"bytes, end": func(c far) { io.WriteString(c, "x"); c.CloseWrite() },
}

func TestNothingIsWrittenToAConnectionThatIsStale(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		start := map[string]func(*Conn) error{
			"Exchange":  func(c *Conn) error { return c.Exchange([]byte(ask), []byte(event), time.Now()) },
			"Streaming": func(c *Conn) error { return c.Streaming([]byte(ask), time.Now()) },
		}
		for way, spoil := range staleWays {
			for name, begin := range start {
				t.Run(name+" after "+way, func(t *testing.T) {
					got, now := make(chan int64, 1), make(chan struct{})
					k := backendThat(t, patient, once(func(c far) {
						<-now
						spoil(c)
						n, _ := io.Copy(io.Discard, c)
						got <- n
					}))
					c := kept(t, k)
					close(now)
					awaitArrival(t, c)

					err := begin(c)

					assert.Equal(t, ErrStale, err)
					assert.True(t, MayRepeat(err))
					c.Close()
					assert.Zero(t, <-got, "bytes that were written")
				})
			}
		}
	})
}

// The backend gives up the connection at the moment when a request arrives.
func TestReuseRace(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for name, end := range map[string]func(far){
			"unread":        func(c far) { awaitReadable(t, socketOf(c)); socketOf(c).Close() },
			"reset":         func(c far) { hear(c); reset(c) },
			"reset at once": reset,
			"reset unread":  func(c far) { awaitReadable(t, socketOf(c)); reset(c) },
		} {
			t.Run(name, func(t *testing.T) {
				k := backendThat(t, patient, once(end))
				c := kept(t, k)
				_, err := talk(c, "POST")
				if err == ErrStale {
					return // it was over before the request was written
				}
				result := failure(t, err, Closed)
				assert.True(t, result.Unread)
				assert.True(t, MayRepeat(err))
			})
		}
	})
}

// A backend that has read a request and then ends may have acted upon it.
func TestABackendThatDiesOverARequestMayHaveDoneIt(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for range 20 {
			k := backendThat(t, patient, once(func(c far) {
				hear(c)
				socketOf(c).Close()
			}))
			_, err := talk(kept(t, k), "POST")
			assert.False(t, failure(t, err, Closed).Unread)
			assert.False(t, MayRepeat(err))
		}
	})
}

// Who says goodbye does not die.
func TestAnEndThatIsAnnouncedIsThatOfAnIdleConnection(t *testing.T) {
	ca := newAuthority(t)
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), once(func(c far) {
		hear(c)
		c.Close()
	}))
	_, err := talk(kept(t, k), "POST")
	assert.True(t, failure(t, err, Closed).Unread)
}

// A new connection may wait in the line of a listener that closes; then it is
// reset. One that was read is another matter.
func TestANewConnectionThatEndsWasReadOrNot(t *testing.T) {
	for name, test := range map[string]struct {
		do     func(far)
		unread bool
	}{
		"read":   {func(c far) { hear(c); c.Close() }, false},
		"half":   {func(c far) { hear(c); c.CloseWrite(); untilEnd(c) }, false},
		"unread": {func(c far) { awaitReadable(t, socketOf(c)); c.Close() }, true},
		"reset":  {func(c far) { awaitReadable(t, socketOf(c)); reset(c) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := talk(dial(t, backendThat(t, patient, test.do)), "POST")
			assert.Equal(t, test.unread, failure(t, err, Closed).Unread)
			assert.Equal(t, test.unread, MayRepeat(err))
		})
	}
}

func TestABeginningOfAnAnswerEndsTheReuseRace(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, once(func(c far) {
			hear(c)
			io.WriteString(c, "HTTP/1.1 2")
		}))
		_, err := talk(kept(t, k), "POST")
		assert.False(t, failure(t, err, Closed).Unread)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

// What arrived before the exchange began must end its wait as well: the poller
// does not tell of it again.
func TestABackendThatSpeaksFirst(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for name, rest := range map[string]func(far){
			"stays": untilEnd,
			"half":  func(c far) { c.CloseWrite(); untilEnd(c) },
			"ends":  func(far) {},
		} {
			t.Run(name, func(t *testing.T) {
				k := backendThat(t, patient, func(c far) {
					io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy")
					rest(c)
				})
				for range 20 {
					c := dial(t, k)
					if c.tls == nil { // or crypto/tls may have read it with the handshake
						awaitArrival(t, c)
					}
					r, err := talk(c, "POST")
					require.NoError(t, err)
					require.Equal(t, reply{status: 503, body: "busy"}, r)
				}
			})
		}
	})
}

// slowly reads all that is asked in small parts, then answers.
func slowly(total int) func(far) {
	return func(c far) {
		part := make([]byte, 16<<10)
		for total > 0 {
			n, err := c.Read(part)
			if err != nil {
				return
			}
			total -= n
		}
		io.WriteString(c, answer)
		untilEnd(c)
	}
}

func TestABodyThatTheSocketCannotTakeAtOnce(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, slowly(len(ask)+len(large)))
		c := dial(t, k)

		require.NoError(t, c.Exchange([]byte(ask), large, time.Now()))
		r, err := readAll(c, "POST")

		require.NoError(t, err)
		assert.Equal(t, reply{status: 200, body: "ok"}, r)
		k.Put(c, time.Now())
		assert.Equal(t, 1, k.Len())
	})
}

// An answer that comes although the request was not taken is the answer.
func TestEarlyAnswer(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for name, rest := range map[string]func(far){
			"and end":             func(far) {},
			"and nothing is read": func(c far) { c.CloseWrite(); unread(c) },
		} {
			t.Run(name, func(t *testing.T) {
				k := backendThat(t, patient, func(c far) {
					io.ReadFull(c, make([]byte, len(ask)))
					io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig")
					rest(c)
				})
				c := dial(t, k)

				require.NoError(t, c.Exchange([]byte(ask), large, time.Now()))
				r, err := readAll(c, "POST")

				require.NoError(t, err)
				assert.Equal(t, reply{status: 413, body: "big"}, r)
				k.Put(c, time.Now())
				assert.Zero(t, k.Len(), "a request that was not taken whole")
			})
		}
	})
}

func TestABackendThatTakesNothing(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, hasty, unread)
		err := dial(t, k).Exchange([]byte(ask), large, time.Now())
		failure(t, err, Timeout)
		assert.False(t, MayRepeat(err))
	})
}

func TestABackendThatLeavesInTheMiddleOfARequest(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, func(c far) { io.ReadFull(c, make([]byte, len(ask))) })
		err := dial(t, k).Exchange([]byte(ask), large, time.Now())
		failure(t, err, Closed)
	})
}

func TestAnAnswerThatDoesNotComeInTime(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for name, take := range map[string]func(*testing.T, *Conns) *Conn{
			"new":  func(t *testing.T, k *Conns) *Conn { return dial(t, k) },
			"kept": func(t *testing.T, k *Conns) *Conn { return kept(t, k) },
		} {
			t.Run(name, func(t *testing.T) {
				do := untilEnd
				if name == "kept" {
					do = once(untilEnd)
				}
				c := take(t, backendThat(t, hasty, do))
				start := time.Now()

				err := c.Exchange([]byte(ask), []byte(event), start)

				assert.False(t, failure(t, err, Timeout).Unread)
				assert.False(t, MayRepeat(err))
				assert.GreaterOrEqual(t, time.Since(start), hasty.Response)
				assert.Less(t, time.Since(start), hasty.Response+deadlineSlack+soon)
			})
		}
	})
}

// What it took to connect must not be taken from the time for the answer.
func TestTheTimeForAnAnswerBeginsWithTheConnection(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, hasty, saying(answer))
		c := dial(t, k)
		require.NoError(t, c.Exchange([]byte(ask), []byte(event), time.Now().Add(-time.Minute)))
	})
}

// A deadline that an exchange has left must not end the next one.
func TestADeadlineOfLongAgo(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, hasty, saying(answer))
		c := kept(t, k)
		for range 2 {
			_, err := talk(c, "POST")
			require.NoError(t, err)
			k.Put(c, time.Now())
			<-time.After(time.Until(c.armed) + time.Millisecond)
			require.Same(t, c, k.Kept(time.Now()))
		}
	})
}

func TestInterruptEndsAWait(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, func(c far) {
			hear(c)
			io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
			untilEnd(c)
		})
		for name, wait := range map[string]func(*Conn) error{
			"head": func(c *Conn) error {
				c.start(time.Now())
				_, err := c.ReadHead([]byte("POST"))
				return err
			},
			"body": func(c *Conn) error {
				_, err := talk(c, "POST")
				return err
			},
		} {
			t.Run(name, func(t *testing.T) {
				c := dial(t, k)
				timer := time.AfterFunc(20*time.Millisecond, c.Interrupt)
				defer timer.Stop()
				err := wait(c)
				failure(t, err, Closed)
				assert.ErrorIs(t, err, net.ErrClosed)
			})
		}
	})
}

// Who is interrupted shall not begin anew elsewhere.
func TestAnInterruptIsNoReuseRace(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		for name, use := range map[string]func(*Conn) error{
			"Exchange":  func(c *Conn) error { return c.Exchange([]byte(ask), []byte(event), time.Now()) },
			"Streaming": func(c *Conn) error { return c.Streaming([]byte(ask), time.Now()) },
		} {
			t.Run(name, func(t *testing.T) {
				c := kept(t, backendThat(t, patient, saying(answer)))
				c.Interrupt()
				err := use(c)
				assert.False(t, failure(t, err, Closed).Unread)
				assert.False(t, MayRepeat(err))
				assert.ErrorIs(t, err, net.ErrClosed)
			})
		}
	})
}

// A large body is written by one goroutine while another waits for the answer.
func TestAnswerWhileStreaming(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, func(c far) {
			io.ReadFull(c, make([]byte, len(ask)))
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig")
			unread(c)
		})
		c := dial(t, k)
		require.NoError(t, c.Streaming([]byte(ask), time.Now()))
		written := make(chan error, 1)
		go func() { written <- c.Write(large) }()

		r, err := readAll(c, "POST")
		require.NoError(t, err)
		assert.Equal(t, reply{status: 413, body: "big"}, r)

		var stopped error
		for stopped == nil {
			c.StopWrite() // the write may only begin now, with a deadline of its own
			select {
			case stopped = <-written:
			case <-time.After(10 * time.Millisecond):
			}
		}
		failure(t, stopped, Timeout)
		k.Put(c, time.Now())
		assert.Zero(t, k.Len())
	})
}

func TestAStreamedRequestThatIsTaken(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, saying(answer))
		c := kept(t, k)
		require.NoError(t, c.Streaming([]byte(ask), time.Now()))
		require.NoError(t, c.Write([]byte(event)))
		c.Sent()

		r, err := readAll(c, "POST")

		require.NoError(t, err)
		assert.Equal(t, 200, r.status)
		k.Put(c, time.Now())
		assert.Equal(t, 1, k.Len())
	})
}

// A head that cannot be written any more may have its answer all the same.
func TestStreamingToABackendThatHasAnswered(t *testing.T) {
	k := backendThat(t, patient, func(c far) {
		io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\n\r\nbusy")
	})
	for range 20 {
		c := dial(t, k)
		awaitArrival(t, c)
		c.tcp.Write([]byte("x")) // provokes the reset
		require.NoError(t, c.Streaming([]byte(ask), time.Now()))
		r, err := readAll(c, "POST")
		require.NoError(t, err)
		require.Equal(t, 503, r.status)
	}
}

func TestStreamingToABackendThatIsGone(t *testing.T) {
	k := backendThat(t, patient, func(c far) {
		c.Read(make([]byte, 1))
		reset(c)
	})
	c := dial(t, k)
	c.tcp.Write([]byte("x"))
	awaitArrival(t, c)
	err := c.Streaming([]byte(ask), time.Now())
	if err == nil {
		_, err = readAll(c, "POST")
	}
	assert.True(t, failure(t, err, Closed).Unread, "a reset is the end of what was not read")
}

// While a client is still sending, a backend need not answer.
func TestWaitingOnAfterATimeout(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, hasty, saying(answer))
		c := dial(t, k)
		require.NoError(t, c.Streaming([]byte(ask), time.Now()))
		for range 2 {
			start := time.Now()
			_, err := c.ReadHead([]byte("POST"))
			failure(t, err, Timeout)
			require.GreaterOrEqual(t, time.Since(start), hasty.Response, "no busy loop")
		}
		require.NoError(t, c.Write([]byte(event)))
		r, err := readAll(c, "POST")
		require.NoError(t, err)
		assert.Equal(t, 200, r.status)
	})
}
