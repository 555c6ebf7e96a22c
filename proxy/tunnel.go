package proxy

import (
	"io"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// tunnel hands a websocket over: from here on the gate passes bytes both ways
// and understands none. It ends when either side ends or neither speaks for the
// keep-alive time.
func (g *Gate) tunnel(x *exchange) error {
	if !x.req.Upgrade {
		err := refused(reason.BackendMalformed)
		x.giveUp(err)
		return err
	}
	x.status, x.answered = 101, true
	x.res.Fields.DropHops()
	near, err := x.stream.Switch(&x.res.Fields)
	if err != nil {
		return x.cut(err)
	}
	far, first := x.bc.Tunnel()
	t := &tunnelEnds{idle: g.timeouts().KeepAlive, near: near, far: far}
	back := make(chan struct{})
	go func() {
		defer close(back)
		defer g.survive()
		t.copy(far, near, nil)
	}()
	x.count(int(t.copy(near, far, first)))
	<-back
	x.endAttempt(time.Now(), nil)
	x.lane.asking.Store(nil)
	x.bc.Close()
	x.forget()
	return nil
}

// tunnelEnds are the two connections of a tunnel.
type tunnelEnds struct {
	idle      time.Duration
	near, far wire.Tunnel
}

// copy passes first and then what from says to to, until one of them ends, and
// then ends both. It returns how many bytes it passed.
func (t *tunnelEnds) copy(to, from wire.Tunnel, first []byte) (passed int64) {
	defer t.end()
	var err error
	var n int
	if len(first) > 0 {
		n, err = to.Write(first)
		passed = int64(n)
	}
	buffer := make([]byte, maxJoined)
	for err == nil {
		var got int
		t.extend()
		got, err = from.Read(buffer)
		if got > 0 {
			var werr error
			n, werr = to.Write(buffer[:got])
			passed += int64(n)
			if werr != nil {
				err = io.ErrShortWrite
			}
		}
	}
	return passed
}

// extend gives both sides the idle time again.
func (t *tunnelEnds) extend() {
	until := time.Now().Add(t.idle)
	t.near.SetDeadline(until) //nolint:errcheck // a closed connection fails at the read that follows
	t.far.SetDeadline(until)  //nolint:errcheck // as above
}

// end wakes both directions.
func (t *tunnelEnds) end() {
	t.far.Close()
	t.near.Close()
}
