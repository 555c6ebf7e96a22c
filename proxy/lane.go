package proxy

import (
	"sync/atomic"

	"github.com/trackgate/trackgate/proxy/backend"
)

// lane is where the exchanges of a connection run, one after the other: HTTP/1.1 has
// one, HTTP/2 one for each open stream.
type lane struct {
	conn    *conn
	running *exchange                    // nil between two
	asking  atomic.Pointer[backend.Conn] // what it waits for
}

// interrupt ends what the running exchange waits for. Any goroutine may call it.
func (l *lane) interrupt() {
	if bc := l.asking.Load(); bc != nil {
		bc.Interrupt()
	}
}
