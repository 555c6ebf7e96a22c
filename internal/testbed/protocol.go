package testbed

import "testing"

// Protocol is what a client speaks, in the word of the access log.
type Protocol string

// The protocols.
const (
	HTTP1 Protocol = "HTTP/1.1"
	HTTP2 Protocol = "HTTP/2.0"
)

// Protocols returns all that a gate must serve alike.
func Protocols() []Protocol { return []Protocol{HTTP1, HTTP2} }

// OverEach runs a test once over each protocol, side by side.
func OverEach(t *testing.T, test func(*testing.T, Protocol)) {
	t.Helper()
	for _, p := range Protocols() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

// Edge is [Edge] for clients that speak p, unless their way says otherwise: every
// line of the access log must say so.
func (p Protocol) Edge(t testing.TB, options ...Option) *Gate {
	t.Helper()
	g := Edge(t, options...)
	g.protocol = p
	return g
}

// Switched is the status that begins a tunnel (RFC 6455, RFC 8441 section 5).
func (p Protocol) Switched() int {
	if p == HTTP2 {
		return 200
	}
	return 101
}

// Connections is the series of the open connections of the public listener.
func (p Protocol) Connections() string {
	return `trackgate_connections{listener="public",protocol="` + string(p) + `"}`
}
