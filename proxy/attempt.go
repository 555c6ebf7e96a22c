package proxy

import (
	"errors"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/backend"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/proxy/wire"
)

// maxJoined is the largest body of an answer that is read whole before its head
// is sent, in bytes: head and body then leave in one write, and a backend that
// dies in the middle still becomes a clean 502.
const maxJoined = 16 << 10

// holdAnswer reads the body of a short answer, if that was not done. A tunnel has
// none.
func (x *exchange) holdAnswer() (err error) {
	if x.judged || x.res.Status == 101 || x.res.Status == 500 && x.listener.hide {
		return nil
	}
	x.judged = true
	x.part, x.short, err = x.bc.Hold(maxJoined)
	return err
}

// release ends a successful attempt: the connection goes back, and then the claim,
// so that whoever claims next finds it. Nothing of the answer may be used afterwards.
func (x *exchange) release() {
	now := time.Now()
	x.lane.asking.Store(nil)
	x.to.Conns.Put(x.bc, now)
	x.endAttempt(now, nil)
	x.forget()
}

// forget drops what belongs to an attempt that has ended.
func (x *exchange) forget() {
	x.bc, x.res, x.code, x.part, x.short, x.judged = nil, nil, 0, nil, false, false
}

// giveUp ends a failed attempt: its connection is closed, and only then its place
// given to somebody else.
func (x *exchange) giveUp(err error) {
	if x.upload != nil {
		x.upload.stop()
	}
	if x.bc != nil {
		x.lane.asking.Store(nil)
		x.bc.Close()
	}
	x.tell(err)
	x.endAttempt(time.Now(), err)
	x.forget()
}

// tell says in the log why an attempt failed; that of the exchange only has the
// reason. What a client did is no failure of a backend.
func (x *exchange) tell(err error) {
	var result *backend.ResultError
	if errors.As(err, &result) {
		x.conn.gate.failures.Warn().Str("listener", x.listener.name).Bytes("request_id", x.requestID()).
			Str("reason", result.Reason().String()).Err(err).Msg("an attempt failed")
	}
}

// endAttempt says how the attempt went and ends the claim, unless that was done.
func (x *exchange) endAttempt(now time.Time, err error) {
	if !x.claimed {
		return
	}
	x.took = now.Sub(x.asked)
	result := pool.Result{Status: x.code, Client: x.client, Began: x.asked, Ended: now, Err: err}
	if err != nil {
		result.Reason = reasonOf(err)
	}
	x.claimed = false
	x.to.Done(result)
}

// reasonOf returns the reason that an error of any step stands for.
func reasonOf(err error) reason.Reason {
	var result *backend.ResultError
	if errors.As(err, &result) {
		return result.Reason()
	}
	return wire.ReasonOf(err, reason.BackendClosed)
}

// count notes the bytes of the answer's body that go to the client.
func (x *exchange) count(n int) { x.bytesOut += int64(n) }
