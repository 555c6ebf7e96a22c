package accesslog

import (
	"net/netip"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
)

// Entry is what is told about one exchange. Method, Host, Path, RequestID,
// TraceID and UserAgent are the client's own bytes as they came; they are only read while
// Write runs, so they may be views into a connection's buffer.
type Entry struct {
	Time     time.Time // when the exchange began, shown in UTC
	Listener string
	Client   netip.Addr // the true address; its zone is not shown
	Protocol string     // "HTTP/1.1", "HTTP/2.0" or "HTTP/3.0"
	Method   []byte
	Host     []byte
	Path     []byte // what is behind a ? is told to nobody
	Status   int
	Reason   reason.Reason
	BytesIn  int64 // of the request's body
	BytesOut int64 // of the answer's body
	Duration time.Duration

	Backend         string // "" where none was asked
	Attempts        int
	BackendDuration time.Duration
	Reused          bool   // the last attempt used a kept connection
	TLS             string // "1.3"; "" on plain HTTP

	RequestID []byte
	TraceID   []byte // nil for none, and then not shown
	UserAgent []byte
}
