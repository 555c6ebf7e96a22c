package configs

import (
	"slices"
	"strconv"
	"strings"
)

const (
	maxListeners = 256
	longestHSTS  = 3650 * day
	longestCORS  = day // browsers cap it here or earlier
)

func (c compiler) listeners(drafts []draftListener, s *Settings) []Listener {
	if len(drafts) == 0 || len(drafts) > maxListeners {
		c.wrong("listeners", "from 1 to "+strconv.Itoa(maxListeners)+" listeners", "")
		return nil
	}
	listeners := make([]Listener, len(drafts))
	names := make([]string, len(drafts))
	for i, d := range drafts {
		names[i] = d.Name
		listeners[i] = c.listener(index("listeners", i), d, s)
	}
	c.names("listeners", names)
	c.neighbours(listeners)
	return listeners
}

func (c compiler) listener(key string, d draftListener, s *Settings) Listener {
	tls := d.TLS != "off" && d.Kind != Redirect
	c.kind(key, d)
	oneOf(c, key+".tls", d.TLS, "on", "off")
	between(c, key+".hsts", d.HSTS, 0, longestHSTS)
	c.fieldName(key+".client_ip_header", d.ClientIPHeader)
	if d.BasePath != "" && (!plainPath(d.BasePath) || d.BasePath == "/") {
		c.wrong(key+".base_path", "a path like /api, or nothing", "")
	}
	unique(c, key+".clients", d.Clients)
	unique(c, key+".proxy_protocol", d.ProxyProtocol)
	return Listener{
		Name:           d.Name,
		Kind:           d.Kind,
		Address:        c.address(key+".address", d.Address),
		Hosts:          c.hosts(key+".hosts", d.Hosts),
		TLS:            tls,
		HTTP2:          c.http2(key+".http2", d, tls),
		MinVersion:     c.minVersion(key+".min_version", d, tls),
		Allow:          c.allow(key+".allow", d),
		Clients:        d.Clients,
		Deny:           d.Deny,
		CORS:           c.cors(key+".cors", d),
		Pool:           c.poolOf(key+".pool", d, s.Pools),
		HSTS:           d.HSTS,
		BasePath:       d.BasePath,
		ClientIPHeader: strings.ToLower(d.ClientIPHeader),
		HideErrors:     d.HideErrors,
		ProxyProtocol:  some(d.ProxyProtocol),
		Limits:         c.listenerLimits(key+".limits", d.Limits, s.Limits),

		ClientCertificates: c.clientCertificates(key+".client_certificates", d.ClientCertificates, tls),
	}
}

// http2 says whether a listener speaks HTTP/2. It is agreed on by ALPN (RFC 9113,
// 3.2), so a listener without TLS has none, also where nobody switched it off.
func (c compiler) http2(key string, d draftListener, tls bool) bool {
	if d.HTTP2 && !tls && c.has(key) {
		c.wrong(key, "false on a listener without TLS (HTTP/2 is spoken over TLS only)", "")
	}
	return d.HTTP2 && tls
}

// minVersion returns the oldest version of TLS that a listener speaks, "" for that of all.
func (c compiler) minVersion(key string, d draftListener, tls bool) string {
	switch {
	case d.MinVersion == "":
	case !tls:
		c.wrong(key, "nothing on a listener without TLS", "")
	default:
		oneOf(c, key, d.MinVersion, "1.2", "1.3")
	}
	return d.MinVersion
}

// kind checks what a kind must have and what would be without meaning on it.
func (c compiler) kind(key string, d draftListener) {
	oneOf(c, key+".kind", d.Kind, Public, GUI, Redirect)
	oneOf(c, key+".deny", d.Deny, DenyRespond, DenyDrop)
	if c.within(key + ".kind") {
		return
	}
	for _, name := range []string{"allow", "clients", "deny", "cors", "pool", "hsts", "base_path", "client_ip_header", "hide_errors"} {
		if kinds := kindsWith(name); c.has(child(key, name)) && !slices.Contains(kinds, d.Kind) {
			c.wrong(child(key, name), "this only on a listener of kind "+joined(kinds), "")
		}
	}
	if d.Kind == GUI && len(d.Clients) == 0 {
		c.wrong(key+".clients", "the addresses and ranges that may use the GUI, at least one", "")
	}
	if d.Kind != Redirect && len(d.Hosts) == 0 {
		c.wrong(key+".hosts", "the names that this listener answers to, at least one", "")
	}
}

// kindsWith returns the kinds of listener that have a key.
func kindsWith(name string) []Kind {
	switch name {
	case "allow":
		return []Kind{Public}
	case "clients", "deny":
		return []Kind{GUI}
	default:
		return []Kind{Public, GUI}
	}
}

func joined(kinds []Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, " or ")
}

// poolOf checks that the pool of a listener is there.
func (c compiler) poolOf(key string, d draftListener, pools []Pool) string {
	if d.Kind == Redirect {
		return ""
	}
	names := make([]string, 0, len(pools))
	for _, p := range pools {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	if !slices.Contains(names, d.Pool) {
		wanted := "the name of a pool"
		if len(names) > 0 {
			wanted += " (" + strings.Join(names[:min(len(names), 10)], ", ") + ")"
		}
		c.wrong(key, wanted, nearest(d.Pool, names))
	}
	return d.Pool
}

// fieldName checks the name of a further field that is to carry the client's
// address.
func (c compiler) fieldName(key, name string) {
	odd := func(r rune) bool { return r == '_' || oddInKey(r) }
	if strings.ContainsFunc(name, odd) || len(name) > 64 {
		hint := strings.ReplaceAll(name, "_", "-")
		if strings.ContainsFunc(hint, odd) {
			hint = ""
		}
		c.wrong(key, "the name of a field, up to 64 letters, digits and -", hint)
		return
	}
	taken := []string{"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive",
		"expect", "proxy", "authorization", "cookie", "content-type", "origin", "x-forwarded-for", "x-real-ip", "forwarded",
		"x-forwarded-proto", "x-forwarded-host", "x-request-id", "traceparent", "tracestate"}
	if slices.Contains(taken, strings.ToLower(name)) {
		c.wrong(key, "a field without another meaning (x-forwarded-for and x-real-ip carry the address anyway)", "")
	}
}
