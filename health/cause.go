package health

// Cause is what took a backend out, from a closed list for metrics.
type Cause uint8

// The causes.
const (
	CauseNone          Cause = iota // of a backend that is up
	CauseCheck                      // checks failed
	CauseConnectFailed              // attempts got no connection
	CauseTimeout                    // attempts got no answer in time
	CauseErrors                     // many clients got a 5xx, and not from others
)

// String returns the word of the metrics, e.g. "connect_failed".
func (c Cause) String() string {
	switch c {
	case CauseCheck:
		return "check"
	case CauseConnectFailed:
		return "connect_failed"
	case CauseTimeout:
		return "timeout"
	case CauseErrors:
		return "errors"
	}
	return "none"
}
