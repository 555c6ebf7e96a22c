package proxy

import (
	"fmt"
	"runtime/debug"

	"github.com/trackgate/trackgate/internal/reason"
)

// survive ends a connection whose goroutine has panicked. A mistake of ours that
// one client can reach must not cost all others their connections, as the end of
// the process would. It is deferred by whatever works for a connection.
func (c *conn) survive() {
	said := recover()
	if said == nil {
		return
	}
	c.gate.tell(said)
	if x := c.lane.running; x != nil {
		x.abandon()
	}
	c.SetLinger(0) //nolint:errcheck // best effort: what was sent may be anything
	c.close()
}

// survive is conn.survive for a goroutine that holds nothing.
func (g *Gate) survive() {
	if said := recover(); said != nil {
		g.tell(said)
	}
}

// tell says what panicked and where, for the report that it is worth.
func (g *Gate) tell(said any) {
	g.parts.Metrics.Panicked()
	g.parts.Log.Error().Str("panic", fmt.Sprint(said)).Bytes("stack", debug.Stack()).
		Msg("this is a mistake in the program: please report it; the connection is closed")
}

// abandon gives back what the exchange holds, except for its own memory: what
// has panicked may be in any state.
func (x *exchange) abandon() {
	if x.upload != nil {
		x.upload.stop()
	}
	if x.bc != nil {
		x.lane.asking.Store(nil)
		x.bc.Interrupt()
	}
	if x.claimed {
		x.claimed = false
		x.to.Release()
	}
	x.retry.end(x)
}

// survive is conn.survive for the goroutine of an upload: the exchange then fails
// as if the client had gone.
func (u *upload) survive() {
	if said := recover(); said != nil {
		u.gate.tell(said)
		u.err = refused(reason.ClientClosed)
		u.bc.Interrupt()
	}
}
