package metrics

// Protocol is what a connection of a client speaks.
type Protocol uint8

// The protocols.
const (
	HTTP1 Protocol = iota
	HTTP2
	HTTP3
	protocolCount
)

// String returns the word of the access log, e.g. "HTTP/1.1".
func (p Protocol) String() string {
	return [protocolCount]string{HTTP1: "HTTP/1.1", HTTP2: "HTTP/2.0", HTTP3: "HTTP/3.0"}[p]
}
