package backend

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What came with the answer and stays in the buffers of crypto/tls would be the
// answer to another request: the kernel has nothing any more.
func TestARecordBehindTheAnswerMakesAConnectionStale(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		for what, part := range map[string]func(n int) int{
			"whole":          func(n int) int { return n },
			"all but a byte": func(n int) int { return n - 1 },
			"its header":     func(int) int { return headerSize },
			"half a header":  func(int) int { return headerSize / 2 },
		} {
			t.Run(name+" "+what, func(t *testing.T) {
				ca, got := newAuthority(t), make(chan int64, 1)
				served := ca.server(t)
				served.MaxVersion = version
				k := sealedBackendThat(t, ca.trusting(patient), served, func(c far) {
					hear(c)
					below := c.(sealedFar).tcp
					below.on = true
					io.WriteString(c, answer)
					whole := len(below.held)
					io.WriteString(c, answer)
					below.release(whole + part(len(below.held)-whole))
					n, _ := io.Copy(io.Discard, below.TCPConn)
					got <- n
				})
				c := kept(t, k)
				require.True(t, c.silent(), "the kernel knows of nothing")

				err := c.Exchange([]byte(ask), []byte(event), time.Now())

				assert.Equal(t, ErrStale, err)
				c.tcp.Close()
				assert.Zero(t, <-got, "bytes that were written")
			})
		}
	}
}

// A backend sends tickets when the handshake is over, and the gate reads them
// with the first answer.
func TestTicketsDoNotMakeAConnectionStale(t *testing.T) {
	ca := newAuthority(t)
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), func(c far) {
		for hear(c) {
			io.WriteString(c, answer)
		}
	})
	c := kept(t, k)
	for range 3 {
		_, err := talk(c, "POST")
		require.NoError(t, err)
		k.Put(c, time.Now())
		require.Same(t, c, k.Kept(time.Now()))
	}
}

func TestTheNextConnectionResumesTheSession(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			ca := newAuthority(t)
			served := ca.server(t)
			served.MaxVersion = version
			k := sealedBackendThat(t, ca.trusting(patient), served, saying(answer))
			for i := range 3 {
				c := dial(t, k)
				assert.Equal(t, i > 0, c.tls.conn.ConnectionState().DidResume)
				_, err := talk(c, "POST")
				require.NoError(t, err)
			}
		})
	}
}

// changing are options whose configuration a test replaces.
func changing(opts Options, first *tls.Config) (changed Options, put func(*tls.Config)) {
	now := make(chan *tls.Config, 1)
	now <- first
	opts.TLS = func() *tls.Config {
		c := <-now
		now <- c
		return c
	}
	return opts, func(c *tls.Config) { <-now; now <- c }
}

func TestNothingOfBeforeIsUsedUnderAnotherConfiguration(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	opts, put := changing(patient, &tls.Config{RootCAs: ca.pool()})
	k := sealedBackendThat(t, opts, ca.server(t), saying(answer))
	c := kept(t, k)
	_, err := talk(c, "POST")
	require.NoError(t, err)
	k.Put(c, time.Now())

	put(&tls.Config{RootCAs: ca.pool()})

	assert.Nil(t, k.Kept(time.Now()), "no connection")
	again := dial(t, k)
	assert.False(t, again.tls.conn.ConnectionState().DidResume, "no session")
	_, err = talk(again, "POST")
	require.NoError(t, err)

	put(&tls.Config{RootCAs: other.pool()})
	_, err = k.Dial(t.Context())
	var unknown x509.UnknownAuthorityError
	assert.ErrorAs(t, err, &unknown, "no trust")
}

func TestOnlyTheRightBackendIsSpokenTo(t *testing.T) {
	ca := newAuthority(t)
	soonOver := ca.leaf(t, "be.example", time.Now().Add(-time.Minute))
	for name, test := range map[string]struct {
		served *tls.Config
		opts   func(*Options)
		says   string
	}{
		"another CA":       {newAuthority(t).server(t), func(*Options) {}, "x509: certificate signed by unknown authority"},
		"another name":     {ca.server(t), func(o *Options) { o.ServerName = "other.example" }, "x509: certificate is valid for be.example, not other.example"},
		"an expired one":   {&tls.Config{Certificates: []tls.Certificate{soonOver}}, func(*Options) {}, "x509: certificate has expired"},
		"an old version":   {&tls.Config{Certificates: ca.server(t).Certificates, MaxVersion: tls.VersionTLS11}, func(*Options) {}, "tls: "},
		"another protocol": {&tls.Config{Certificates: ca.server(t).Certificates, NextProtos: []string{"imap"}}, func(*Options) {}, "tls: no application protocol"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := ca.trusting(patient)
			test.opts(&opts)
			k := sealedBackendThat(t, opts, test.served, func(c far) { t.Error("it was let in") })
			_, err := k.Dial(t.Context())
			failure(t, err, ConnectFailed)
			assert.True(t, MayRepeat(err), "nothing was sent")
			assert.ErrorContains(t, err, "backend "+k.Addr()+": tls: ")
			assert.ErrorContains(t, err, test.says)
		})
	}
}

// The name of the settings counts before that of the backend, and that before the
// host of its address. The configuration itself stays as it is.
func TestServerNames(t *testing.T) {
	ca := newAuthority(t)
	for _, test := range []struct{ config, option, want string }{
		{"", "", ""}, // an address is not sent (RFC 6066 section 3), but verified
		{"", "be.example", "be.example"},
		{"be.example", "other.example", "be.example"},
	} {
		asked := make(chan string, 1)
		served := ca.server(t)
		served.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			asked <- hello.ServerName
			assert.Equal(t, []string{"http/1.1"}, hello.SupportedProtos)
			return nil, nil
		}
		config := &tls.Config{RootCAs: ca.pool(), ServerName: test.config}
		opts, _ := changing(patient, config)
		opts.ServerName = test.option
		k := sealedBackendThat(t, opts, served, saying(answer))
		_, err := talk(dial(t, k), "POST")
		require.NoError(t, err)
		assert.Equal(t, test.want, <-asked)
		assert.Equal(t, test.config, config.ServerName)
		assert.Nil(t, config.ClientSessionCache)
	}
}

func TestABackendThatDemandsACertificate(t *testing.T) {
	ca, clients := newAuthority(t), newAuthority(t)
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		for shown, certs := range map[string][]tls.Certificate{
			"the right one": {clients.leaf(t, "the gate", time.Now().Add(time.Hour))},
			"none":          nil,
			"an old one":    {clients.leaf(t, "the gate", time.Now().Add(-time.Hour))},
		} {
			t.Run(name+" "+shown, func(t *testing.T) {
				served := ca.server(t)
				served.MaxVersion, served.ClientAuth, served.ClientCAs = version, tls.RequireAndVerifyClientCert, clients.pool()
				opts, _ := changing(patient, &tls.Config{RootCAs: ca.pool(), Certificates: certs})
				k := sealedBackendThat(t, opts, served, saying(answer))

				c, err := k.Dial(t.Context())
				if err == nil { // TLS 1.3 tells with the first read
					t.Cleanup(c.Close)
					if version == tls.VersionTLS13 {
						awaitArrival(t, c) // a request on its way would make the backend reset
					}
					_, err = talk(c, "POST")
				}

				if shown == "the right one" {
					require.NoError(t, err)
					return
				}
				failure(t, err, ConnectFailed)
				assert.True(t, MayRepeat(err), "the backend never read the request")
				assert.ErrorContains(t, err, ": tls: ")
			})
		}
	}
}

// A handshake has no more time than a connection.
func TestAHandshakeThatDoesNotEnd(t *testing.T) {
	opts := newAuthority(t).trusting(Options{Connect: 100 * time.Millisecond, Response: time.Minute, Idle: time.Second})
	k := New(listening(t, func(c *net.TCPConn) { untilEnd(c) }), opts).until(t)
	began := time.Now()
	_, err := k.Dial(t.Context())
	failure(t, err, ConnectFailed)
	assert.Less(t, time.Since(began), opts.Connect+soon)

	k.opts.Connect = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = k.Dial(ctx)
	failure(t, err, ConnectFailed)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestABackendThatSpeaksNoTLS(t *testing.T) {
	k := New(listening(t, func(c *net.TCPConn) {
		io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n")
		untilEnd(c)
	}), newAuthority(t).trusting(patient)).until(t)
	_, err := k.Dial(t.Context())
	failure(t, err, ConnectFailed)
	assert.ErrorContains(t, err, "does not look like a TLS handshake")
}

// Anybody on the way can end TCP; only the backend can end TLS.
func TestABodyUntilCloseThatOnlyTCPHasEnded(t *testing.T) {
	ca := newAuthority(t)
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), func(c far) {
		hear(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nall of it?")
		c.(sealedFar).tcp.TCPConn.Close()
	})
	got, err := talk(dial(t, k), "GET")
	failure(t, err, Closed)
	assert.Equal(t, "all of it?", got.body)
}

// What was changed on the way is no answer, and no sign of a backend that only
// closed the connection.
func TestARecordThatWasChanged(t *testing.T) {
	ca := newAuthority(t)
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), once(func(c far) {
		hear(c)
		below := c.(sealedFar).tcp
		below.on = true
		io.WriteString(c, answer)
		below.held[len(below.held)-1] ^= 1
		below.release(len(below.held))
		untilEnd(c)
	}))
	_, err := talk(kept(t, k), "POST")
	assert.False(t, failure(t, err, Garbled).Unread)
	assert.False(t, MayRepeat(err))
}

// An alert says that the backend did not like what it read.
func TestAnAlertIsNoReuseRace(t *testing.T) {
	ca := newAuthority(t)
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), once(func(c far) {
		c.Read(make([]byte, 1)) //nolint:errcheck // it fails: what comes is no record, and an alert goes back
		untilEnd(c.(sealedFar).tcp)
	}))
	c := kept(t, k)
	_, err := c.tcp.Write(bytes.Repeat([]byte{0xff}, 32))
	require.NoError(t, err)
	err = c.Exchange([]byte(ask), []byte(event), time.Now())
	if err != ErrStale { // when the alert was sooner
		assert.False(t, failure(t, err, Closed).Unread)
		assert.False(t, MayRepeat(err))
	}
}

// Close says goodbye, so that the backend can tell it from a cut; and where that
// would have to wait it does not.
func TestCloseSaysGoodbye(t *testing.T) {
	ca, ended := newAuthority(t), make(chan error, 1)
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), once(func(c far) {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}))
	kept(t, k).Close()
	assert.Equal(t, io.EOF, <-ended)
}

func TestCloseDoesNotWait(t *testing.T) {
	ca := newAuthority(t)
	k := sealedBackendThat(t, ca.trusting(hasty), ca.server(t), unread)
	for name, use := range map[string]func(c *Conn) (io.Closer, error){
		"Exchange": func(c *Conn) (io.Closer, error) {
			return closer(c.Close), c.Exchange([]byte(ask), large, time.Now())
		},
		"Streaming": func(c *Conn) (io.Closer, error) {
			require.NoError(t, c.Streaming([]byte(ask), time.Now()))
			return closer(c.Close), c.Write(large)
		},
		"Tunnel": func(c *Conn) (io.Closer, error) {
			nc, _ := c.Tunnel()
			nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			_, err := nc.Write(large)
			return nc, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, k)
			end, err := use(c)
			require.Error(t, err, "the socket is full")
			began := time.Now()
			end.Close()
			assert.Less(t, time.Since(began), soon)
			_, err = c.tcp.Write([]byte("x"))
			assert.ErrorIs(t, err, net.ErrClosed)
		})
	}
}

type closer func()

func (c closer) Close() error {
	c()
	return nil
}

// A request that was written slowly leaves nothing behind that could end the next.
func TestAConnectionIsSoundAfterALargeRequest(t *testing.T) {
	everyWay(t, func(t *testing.T, backendThat start) {
		k := backendThat(t, patient, func(c far) {
			for {
				if _, err := io.CopyN(io.Discard, c, int64(len(ask)+len(large))); err != nil {
					return
				}
				io.WriteString(c, answer)
			}
		})
		c := dial(t, k)
		for range 3 {
			require.NoError(t, c.Exchange([]byte(ask), large, time.Now()))
			_, err := readAll(c, "POST")
			require.NoError(t, err)
			k.Put(c, time.Now())
			require.Same(t, c, k.Kept(time.Now()))
		}
	})
}

// crypto/tls allocates a few bytes for each read of a record, of which there are
// three: the check, the answer, and that of the backend.
func TestAnExchangeOverTLSAllocatesNothingOfOurs(t *testing.T) {
	if raced {
		t.Skip("the race detector allocates")
	}
	ca := newAuthority(t)
	k := sealedBackendThat(t, ca.trusting(patient), ca.server(t), echoes)
	head, body, method := []byte(ask), []byte(event), []byte("POST")
	round(t, k, head, body, method)
	require.LessOrEqual(t, testing.AllocsPerRun(500, func() { round(t, k, head, body, method) }), 3.0)
}

func BenchmarkExchangeOverTLS(b *testing.B) {
	ca := newAuthority(b)
	k := sealedBackendThat(b, ca.trusting(patient), ca.server(b), echoes)
	head, body, method := []byte(ask), []byte(event), []byte("POST")
	b.ReportAllocs()
	for b.Loop() {
		round(b, k, head, body, method)
	}
}
