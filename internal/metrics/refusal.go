package metrics

// Refusal is why a connection was closed before its handshake.
type Refusal uint8

// The refusals. NotRefused is the zero value.
const (
	NotRefused     Refusal = iota
	NoRoom                 // limits.connections, or the process's file descriptors
	ClientHasMany          // limits.connections_per_client
	NotASender             // not one of proxy_protocol
	BadProxyHeader         // no PROXY header, a broken one, or a late one
	NotAClient             // in no range of an address where strangers are dropped
	ClientHurries          // limits.handshakes_per_client
	refusalCount
)

// String returns the word, e.g. "connections_per_client".
func (r Refusal) String() string {
	return [refusalCount]string{
		NotRefused:     "none",
		NoRoom:         "connections",
		ClientHasMany:  "connections_per_client",
		NotASender:     "proxy_sender",
		BadProxyHeader: "proxy_header",
		NotAClient:     "client_not_allowed",
		ClientHurries:  "handshakes_per_client",
	}[r]
}

// Refused counts a connection to an address of the settings that was closed
// before its handshake.
func (s *Set) Refused(address string, r Refusal) {
	s.families.refused.WithLabelValues(address, r.String()).Inc()
}
