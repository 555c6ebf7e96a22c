package tlsconf

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/trackgate/trackgate/configs"
)

// ListenerSetter is a connection that wants to be told which listener the client
// chose. Where the net.Conn given to tls.Server has this method, it is called
// once, during the handshake, with the index into the listeners given to
// [Keeper.Config]; it is not called for a name that nobody configured.
type ListenerSetter interface {
	SetListener(index int)
}

// Config returns the configuration for tls.Server on one address, which listeners
// share: the name in the ClientHello, or without one the local IP address, chooses
// the listener.
func (k *Keeper) Config(listeners []configs.Listener) *tls.Config {
	d := &door{hosts: configs.NewHosts(listeners), strangers: strangerConfigs(), authorities: k.greetAuthority}
	for _, l := range listeners {
		d.inner = append(d.inner, k.inner[l.Name])
		d.guards = append(d.guards, k.guards[l.Name])
	}
	return &tls.Config{
		MinVersion:             tls.VersionTLS12,
		GetConfigForClient:     d.choose,
		SessionTicketsDisabled: true, // the inner configurations have their own

		EncryptedClientHelloKeys: k.ech, // opened before choose is asked, which sees the name inside
	}
}

// door chooses the listener of one address.
type door struct {
	hosts     *configs.Hosts
	inner     []*tls.Config // by listener; nil where it is plain
	guards    []*guard      // by listener; nil where clients show no certificates
	strangers strangers

	authorities func(*tls.ClientHelloInfo) *tls.Config
}

func (d *door) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	index, ok := d.hosts.Find(helloKey(hello))
	if !ok || d.inner[index] == nil {
		return d.strangers.pick(hello), nil
	}
	if c, ok := hello.Conn.(ListenerSetter); ok {
		c.SetListener(index)
	}
	if challenges(hello) {
		return d.authorities(hello), nil
	}
	if g := d.guards[index]; g != nil {
		return g.config.Load(), nil
	}
	return d.inner[index], nil
}

// helloKey returns the name a client asks for in lower case, or without a name
// the local address it came to. An authority has a name for that as well.
func helloKey(hello *tls.ClientHelloInfo) (string, netip.Addr) {
	if name := strings.ToLower(hello.ServerName); name != "" {
		if addr, ok := reversed(name); ok && challenges(hello) {
			return "", addr
		}
		return name, netip.Addr{}
	}
	if local, ok := hello.Conn.LocalAddr().(*net.TCPAddr); ok {
		return "", local.AddrPort().Addr().Unmap().WithZone("")
	}
	return "", netip.Addr{}
}

// offer is what a listener offers to clients.
type offer struct {
	version   uint16 // the oldest
	protocols []string
	groups    []tls.CurveID // for the exchange of keys
}

// offerOf reads what settings say of a listener.
func offerOf(l configs.Listener, settings configs.TLS) (offer, error) {
	version, err := minVersion(cmp.Or(l.MinVersion, settings.MinVersion))
	o := offer{version: version, protocols: protocols(l.HTTP2), groups: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}}
	if settings.HybridKeyExchange {
		o.groups = append([]tls.CurveID{tls.X25519MLKEM768}, o.groups...)
	}
	return o, err
}

// listenerConfig returns what a listener answers with.
func listenerConfig(o offer, t *tickets, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	c := &tls.Config{
		MinVersion:       o.version,
		NextProtos:       o.protocols,
		CipherSuites:     suites12(),
		CurvePreferences: o.groups,
		GetCertificate:   certificate,
		WrapSession:      t.wrap,
		UnwrapSession:    t.unwrap,
		// Answers leave in one write; records that start small would split them.
		DynamicRecordSizingDisabled: true,
	}
	// These keys seal nothing, wrap does. Without them crypto/tls would turn to the
	// outer configuration's keys in every handshake, with a second lock.
	c.SetSessionTicketKeys([][32]byte{randomKey()})
	return c
}

// protocols returns what a listener offers by ALPN (RFC 7301), the one it prefers
// first. HTTP/1.1 is always there: without it crypto/tls would go on with a client
// that knows nothing else as if it had not offered anything.
func protocols(http2 bool) []string {
	if http2 {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// suites12 are the suites of TLS 1.2 with forward secrecy and an AEAD: the others
// are what HTTP/2 forbids (RFC 9113, 9.2.2). Those of 1.3 cannot be chosen.
func suites12() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// strangers answer names that nobody configured. An error from GetConfigForClient
// would send internal_error; a configuration without certificates makes crypto/tls
// send unrecognized_name, which is the truth.
type strangers struct {
	cheap  *tls.Config // TLS 1.2 looks for the certificate before it computes a key
	modern *tls.Config // for clients that know nothing older than 1.3
}

func strangerConfigs() strangers {
	return strangers{
		cheap: &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, SessionTicketsDisabled: true},
		modern: &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
			CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256, tls.CurveP384}},
	}
}

func (s strangers) pick(hello *tls.ClientHelloInfo) *tls.Config {
	if slices.Contains(hello.SupportedVersions, tls.VersionTLS12) {
		return s.cheap
	}
	return s.modern
}

func minVersion(setting string) (uint16, error) {
	switch setting {
	case "", "1.2":
		return tls.VersionTLS12, nil
	case "1.3":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("tls.min_version: %q is not 1.2 or 1.3", setting)
}
