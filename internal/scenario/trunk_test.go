//go:build scenario

package scenario

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"golang.org/x/net/http2"
)

// keptTrunks is how many connections over HTTP/2 the client spreads its requests over.
const keptTrunks = 4

// trunk is a connection to the gate over HTTP/2, which carries many exchanges at once.
// It repeats nothing: that would be http2.Transport's doing, which is left out. Once
// the gate has said GOAWAY a trunk is used for nothing new, and ends with what it
// carries.
//
//lint:ignore SA1019 that of net/http does not tell whether it was asked to leave
type trunk = http2.ClientConn

// trunks are those of a client.
type trunks struct {
	//lint:ignore SA1019 as the trunks are
	transport http2.Transport // of which only the connections are used

	mu     sync.Mutex
	turn   int
	berths [keptTrunks]berth
	past   []*trunk // that were replaced; they end by themselves, but for those that were full
}

// berth has one trunk at a time.
type berth struct {
	mu  sync.Mutex // who has it looks, and dials if need be; the others want the same
	now *trunk
}

// notUsable is what a trunk says that could not even begin: between the look at it and
// the request came a GOAWAY. As nothing was sent this is no failure.
const notUsable = "http2: client conn not usable"

// call makes one request over HTTP/2.
//
// A client may repeat what a GOAWAY says was not looked at (RFC 9113 section 6.8). This
// one does not: the gate says GOAWAY twice, and waits in between for the word that the
// client has seen the first, so that there is nothing to repeat.
func (c *client) call(q request, v *visit) error {
	ctx, cancel := context.WithTimeout(context.Background(), c.within)
	defer cancel()
	for {
		t, err := c.trunk(ctx, q.fresh)
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		err = v.over(ctx, t)
		if q.fresh {
			t.Close()
		}
		if err == nil || err.Error() != notUsable {
			return err
		}
	}
}

// over makes the request of a visit on a trunk.
func (v *visit) over(ctx context.Context, t *trunk) error {
	r, err := http.NewRequestWithContext(ctx, v.method(), "https://localhost"+v.target(), nil)
	if err != nil {
		return err
	}
	if v.post {
		text := eventOf(v.id, v.size)
		r.Header.Set("Content-Type", "application/json")
		r.Body, r.ContentLength = io.NopCloser(slowly(text, v.lasts)), int64(len(text))
	}
	res, err := t.RoundTrip(r)
	if err != nil {
		return err
	}
	return v.read(res)
}

// trunk returns one that can take a request, if need be a new one.
func (c *client) trunk(ctx context.Context, fresh bool) (*trunk, error) {
	if fresh {
		return c.newTrunk(ctx)
	}
	b := c.trunks.next()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.now != nil && b.now.CanTakeNewRequest() {
		return b.now, nil
	}
	t, err := c.newTrunk(ctx)
	if err != nil {
		return nil, err
	}
	c.trunks.leave(b.now)
	b.now = t
	return t, nil
}

func (c *client) newTrunk(ctx context.Context) (*trunk, error) {
	conn, err := c.dial()
	if err != nil {
		return nil, err
	}
	if conn, err = c.agree(ctx, conn); err != nil {
		return nil, err
	}
	//lint:ignore SA1019 as the trunks are
	return c.trunks.transport.NewClientConn(conn)
}

// agree makes sure that both sides speak HTTP/2; without TLS they have to know.
func (c *client) agree(ctx context.Context, conn net.Conn) (net.Conn, error) {
	if c.tls == nil {
		return conn, nil
	}
	config := c.tls.Clone()
	config.NextProtos = []string{http2.NextProtoTLS}
	secure := tls.Client(conn, config)
	err := secure.HandshakeContext(ctx)
	if err == nil && secure.ConnectionState().NegotiatedProtocol != http2.NextProtoTLS {
		err = errors.New("the gate does not want HTTP/2")
	}
	if err != nil {
		conn.Close()
	}
	return secure, err
}

func (t *trunks) next() *berth {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn++
	return &t.berths[t.turn%keptTrunks]
}

func (t *trunks) leave(past *trunk) {
	if past == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.past = append(t.past, past)
}

// all are the trunks that were kept at some time.
func (t *trunks) all() []*trunk {
	var all []*trunk
	for i := range t.berths {
		b := &t.berths[i]
		b.mu.Lock() // never with the other one held: who replaces a trunk takes both
		if b.now != nil {
			all = append(all, b.now)
		}
		b.mu.Unlock()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(all, t.past...)
}

// close ends them when nothing is under way any more.
func (t *trunks) close() {
	for _, one := range t.all() {
		one.Close()
	}
}
