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
	RequestID                    // x-request-id: the name of an exchange in the logs of all that take part
	TraceParent                  // W3C Trace Context, section 3.2
	TraceState                   // 3.3
	Range                        // fields that modify or control, which no trailer may carry
)

// known are the names that Lookup finds, beside the families of lookupFamily.
var known = [...]struct {
	name string
	id   Name
}{
	{"host", Host}, {"content-length", ContentLength}, {"transfer-encoding", TransferEncoding},
	{"connection", Connection}, {"keep-alive", KeepAlive}, {"proxy-connection", ProxyConnection}, {"te", TE},
	{"trailer", Trailer}, {"upgrade", Upgrade}, {"http2-settings", HTTP2Settings},
	{"proxy-authenticate", ProxyAuthenticate}, {"proxy-authorization", ProxyAuthorization}, {"expect", Expect},
	{"authorization", Authorization}, {"cookie", Cookie}, {"set-cookie", SetCookie}, {"origin", Origin},
	{"vary", Vary}, {"user-agent", UserAgent}, {"server", Server}, {"date", Date}, {"content-type", ContentType},
	{"x-process-time", ProcessTime}, {"x-forwarded-for", XForwardedFor}, {"x-real-ip", XRealIP},
	{"x-context", Private}, {"scheme", Private}, {"strict-transport-security", StrictTransportSecurity},
	{"x-request-id", RequestID}, {"traceparent", TraceParent}, {"tracestate", TraceState},

	{"content-range", Range}, {"content-encoding", Range}, {"content-location", Range}, {"cache-control", Range},
	{"range", Range}, {"pragma", Range}, {"age", Range}, {"expires", Range}, {"location", Range}, {"retry-after", Range},
	{"warning", Range}, {"max-forwards", Range}, {"www-authenticate", Range}, {"if-match", Range},
	{"if-none-match", Range}, {"if-modified-since", Range}, {"if-unmodified-since", Range}, {"if-range", Range},

	{"access-control-request-method", AccessControlRequest}, {"access-control-request-headers", AccessControlRequest},

	{"forwarded", Spoofable}, {"proxy", Spoofable}, {"x-forwarded", Spoofable}, {"x-client-ip", Spoofable},
	{"client-ip", Spoofable}, {"true-client-ip", Spoofable}, {"x-cluster-client-ip", Spoofable},
	{"cf-connecting-ip", Spoofable}, {"fastly-client-ip", Spoofable}, {"x-remote-addr", Spoofable},
	{"x-original-url", Spoofable}, {"x-original-uri", Spoofable}, {"x-original-forwarded-for", Spoofable},
	{"x-original-host", Spoofable}, {"x-rewrite-url", Spoofable}, {"x-host", Spoofable}, {"x-url-scheme", Spoofable},
	{"client-cert", Spoofable}, {"client-cert-chain", Spoofable}, // RFC 9440 section 2
	{"x-arr-clientcert", Spoofable},
}

// Names returns every name that Lookup knows, but for the families of lookupFamily.
func Names() []string {
	names := make([]string, len(known))
	for i := range known {
		names[i] = known[i].name
	}
	return names
}

// slots is known by length and last byte, which tell most names apart.
var slots = newSlots()

// slot is where in slots a name is looked for.
func slot(length int, last byte) int { return (length<<3 ^ int(last)) & 0xff }

func newSlots() (table [256][]uint8) {
	for i, k := range known {
		at := slot(len(k.name), k.name[len(k.name)-1])
		table[at] = append(table[at], uint8(i))
	}
	return table
}

// Lookup returns the Name of a lower-case field name.
func Lookup(name []byte) Name {
	if len(name) == 0 {
		return Other
	}
	for _, i := range slots[slot(len(name), name[len(name)-1])] {
		if k := &known[i]; string(name) == k.name {
			return k.id
		}
	}
	if first := name[0]; first == 'a' || first == 's' || first == 'x' {
		return lookupFamily(name)
	}
	return Other
}

// lookupFamily continues Lookup with names that share a beginning.
func lookupFamily(name []byte) Name {
	switch {
	case hasPrefix(name, "access-control-"):
		return AccessControl
	case hasPrefix(name, "x-forwarded-"), hasPrefix(name, "x-ssl-"), hasPrefix(name, "x-envoy-"),
		hasPrefix(name, "ssl-client-"), hasPrefix(name, "x-client-cert"), hasPrefix(name, "x-amzn-mtls-"):
		return Spoofable
	}
	return Other
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// hops are the names of fields that speak of one connection only.
const hops names = 1<<Connection | 1<<KeepAlive | 1<<ProxyConnection | 1<<TE | 1<<Trailer | 1<<TransferEncoding |
	1<<Upgrade | 1<<HTTP2Settings | 1<<ProxyAuthenticate | 1<<ProxyAuthorization

// HopByHop reports whether a field of that name speaks of one connection only
// and is never passed on (RFC 9110 section 7.6.1).
func (n Name) HopByHop() bool { return hops.has(n) }

// InTrailer reports whether a trailer field of that name may be passed on:
// not those for framing, routing, authentication or the body (RFC 9110
// section 6.5.1).
func (n Name) InTrailer() bool { return n == Other }
