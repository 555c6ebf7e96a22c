package wire

// Name is a field name that means something to the gate. Other is every name
// that is passed on without a look.
type Name uint8

// The names, as in RFC 9110 and the lists of forwarding and override fields
// that no client may choose.
const (
	Other                   Name = iota
	Host                         // RFC 9110 section 7.2
	ContentLength                // 8.6
	TransferEncoding             // RFC 9112 section 6.1
	Connection                   // RFC 9110 section 7.6.1
	KeepAlive                    // hop-by-hop by custom
	ProxyConnection              // hop-by-hop by custom
	TE                           // 10.1.4
	Trailer                      // 6.6.2
	Upgrade                      // 7.8
	HTTP2Settings                // RFC 7540 section 3.2.1
	ProxyAuthenticate            // RFC 9110 section 11.7.1
	ProxyAuthorization           // 11.7.2
	Expect                       // 10.1.1
	Authorization                // 11.6.2
	Cookie                       // RFC 6265
	SetCookie                    // RFC 6265
	Origin                       // Fetch
	AccessControlRequest         // access-control-request-method and -headers
	AccessControl                // every access-control-* field of an answer
	Vary                         // RFC 9110 section 12.5.5
	UserAgent                    // 10.1.5
	Server                       // 10.2.4
	ProcessTime                  // x-process-time, what the backend says it took
	XForwardedFor                // addresses, the nearest last
	XRealIP                      // one address
	Spoofable                    // fields that only a proxy may set: dropped
	Private                      // x-context and scheme: not for public listeners
	Date                         // 6.6.1
	ContentType                  // 8.3
	StrictTransportSecurity      // RFC 6797
	Range                        // fields about the body that no trailer may carry
)

// Lookup returns the Name of a lower-case field name.
func Lookup(name []byte) Name {
	switch string(name) {
	case "host":
		return Host
	case "content-length":
		return ContentLength
	case "transfer-encoding":
		return TransferEncoding
	case "connection":
		return Connection
	case "keep-alive":
		return KeepAlive
	case "proxy-connection":
		return ProxyConnection
	case "te":
		return TE
	case "trailer":
		return Trailer
	case "upgrade":
		return Upgrade
	case "http2-settings":
		return HTTP2Settings
	case "proxy-authenticate":
		return ProxyAuthenticate
	case "proxy-authorization":
		return ProxyAuthorization
	case "expect":
		return Expect
	case "authorization":
		return Authorization
	case "cookie":
		return Cookie
	case "set-cookie":
		return SetCookie
	case "origin":
		return Origin
	case "vary":
		return Vary
	case "user-agent":
		return UserAgent
	case "server":
		return Server
	case "date":
		return Date
	case "content-type":
		return ContentType
	}
	return lookupRare(name)
}

// lookupRare continues Lookup with names that few messages carry.
func lookupRare(name []byte) Name {
	switch string(name) {
	case "x-process-time":
		return ProcessTime
	case "x-forwarded-for":
		return XForwardedFor
	case "x-real-ip":
		return XRealIP
	case "x-context", "scheme":
		return Private
	case "strict-transport-security":
		return StrictTransportSecurity
	case "content-range", "content-encoding", "cache-control", "range":
		return Range
	case "access-control-request-method", "access-control-request-headers":
		return AccessControlRequest
	case "forwarded", "proxy", "x-client-ip", "client-ip", "true-client-ip", "x-cluster-client-ip",
		"cf-connecting-ip", "fastly-client-ip", "x-remote-addr", "x-original-url", "x-original-uri",
		"x-original-forwarded-for", "x-original-host", "x-rewrite-url", "x-host", "x-url-scheme":
		return Spoofable
	}
	return lookupFamily(name)
}

// lookupFamily continues Lookup with names that share a beginning.
func lookupFamily(name []byte) Name {
	switch {
	case hasPrefix(name, "access-control-"):
		return AccessControl
	case hasPrefix(name, "x-forwarded-"), hasPrefix(name, "x-ssl-"), hasPrefix(name, "x-envoy-"):
		return Spoofable
	}
	return Other
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// HopByHop reports whether a field of that name speaks of one connection only
// and is never passed on (RFC 9110 section 7.6.1).
func (n Name) HopByHop() bool {
	switch n {
	case Connection, KeepAlive, ProxyConnection, TE, Trailer, TransferEncoding, Upgrade, HTTP2Settings,
		ProxyAuthenticate, ProxyAuthorization:
		return true
	}
	return false
}

// InTrailer reports whether a trailer field of that name may be passed on:
// not those for framing, routing, authentication or the body (RFC 9110
// section 6.5.1).
func (n Name) InTrailer() bool { return n == Other }
