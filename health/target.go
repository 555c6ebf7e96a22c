package health

import "crypto/tls"

// Target is where one backend is asked.
type Target struct {
	Addr  string             // host:port to connect to
	Host  string             // what the probe's Host field says if the settings do not; "" is Addr
	TLS   func() *tls.Config // asked for each probe, by any goroutine; nil: plain HTTP
	Owner any                // becomes Subject.Owner
}
