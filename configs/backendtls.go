package configs

import (
	"net/netip"
	"slices"
)

// BackendTLS is how the gate speaks HTTPS to the backends of a pool.
type BackendTLS struct {
	CA          string // PEM file; "" is the system's
	ServerName  string // "" is the backend's host
	Certificate string // PEM file of the client's certificate; "" together with Key
	Key         string // PEM file
}

// backendTLS checks the tls section of the pool at key, which would be ignored
// where no backend speaks HTTPS.
func (c compiler) backendTLS(key string, t BackendTLS, backends []Backend) BackendTLS {
	used := slices.ContainsFunc(backends, func(b Backend) bool { return b.Scheme == "https" })
	if !used && !c.within(key+".backends") {
		c.unused(key+".tls", t)
	}
	key += ".tls"
	t.CA = c.file(key+".ca", t.CA)
	t.Certificate = c.file(key+".certificate", t.Certificate)
	t.Key = c.file(key+".key", t.Key)
	if t.Certificate != "" && t.Key == "" {
		c.wrong(key+".key", "the path of a PEM file, because there is a certificate", "")
	}
	if t.Key != "" && t.Certificate == "" {
		c.wrong(key+".certificate", "the path of a PEM file, because there is a key", "")
	}
	t.ServerName = c.serverName(key+".server_name", t.ServerName)
	return t
}

func (c compiler) unused(key string, t BackendTLS) {
	for name, value := range map[string]string{
		"ca": t.CA, "server_name": t.ServerName, "certificate": t.Certificate, "key": t.Key,
	} {
		if value != "" {
			c.wrong(child(key, name), "nothing, because no backend of the pool is https://", "")
		}
	}
}

// file returns the path of a file that need not be there.
func (c compiler) file(key, written string) string {
	if written == "" {
		return ""
	}
	return c.readable(key, written)
}

// serverName returns the name that a certificate has to be for, in lower case.
func (c compiler) serverName(key, written string) string {
	if addr, err := netip.ParseAddr(unbracket(written)); err == nil && reachable(addr) {
		return addr.Unmap().String()
	}
	name := lower(written)
	if name != "" && !domain(name, true) {
		c.wrong(key, "a host name or an IP address, without a port", likelyName(written))
	}
	return name
}

// likelyName takes off what people copy along with the name of a backend.
func likelyName(written string) string {
	if likely := likelyHost(written); domain(likely, true) {
		return likely
	}
	return ""
}
