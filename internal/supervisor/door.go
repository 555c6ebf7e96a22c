package supervisor

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Door is a listener that a Prober comes in by.
type Door struct {
	Listener string
	Address  string // as in the settings: without a host it is all interfaces
	TLS      bool   // false: it is enough that the connection is taken

	Host    string         // whom to ask for; an IP address is asked for without SNI
	Roots   *x509.CertPool // what the chain has to lead to; nil: anything
	Ended   bool           // what is held for Host is known not to be in its time
	Refuses bool           // a refusal in the words of TLS is an answer as well
}

// dialed returns where to connect to. ok is false for an address that this machine does
// not have: a gate that stands by for another one listens on what is not its own yet.
func (d *Door) dialed() (at netip.AddrPort, ok bool, err error) {
	host, port, err := net.SplitHostPort(d.Address)
	if err != nil {
		return netip.AddrPort{}, false, fmt.Errorf("address %s: %w", d.Address, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	at, err = netip.ParseAddrPort(net.JoinHostPort(host, port))
	if err != nil {
		return netip.AddrPort{}, false, fmt.Errorf("address %s: %w", d.Address, err)
	}
	return at, ours(at.Addr()), nil
}

// ours reports whether the machine has the address, also where that cannot be seen.
func ours(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	all, err := net.InterfaceAddrs()
	return err != nil || slices.ContainsFunc(all, func(a net.Addr) bool {
		network, ok := a.(*net.IPNet)
		return ok && network.IP.Equal(addr.AsSlice())
	})
}

// config is what a client of the door says and demands.
func (d *Door) config() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         d.Host,
		InsecureSkipVerify: true, // verify looks at what was shown
		VerifyConnection:   d.verify,
	}
}

// verify looks at the certificates that were shown.
func (d *Door) verify(state tls.ConnectionState) error {
	leaf, now := state.PeerCertificates[0], time.Now()
	if err := leaf.VerifyHostname(d.Host); err != nil {
		return err
	}
	if !d.Ended && (now.Before(leaf.NotBefore) || now.After(leaf.NotAfter)) {
		return fmt.Errorf("the certificate for %s is good from %s to %s, and there is a better one", d.Host,
			leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339))
	}
	if d.Roots == nil {
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: d.Roots, Intermediates: between})
	return err
}

// refused reports whether the other side ended a handshake with an alert, which is what
// crypto/tls calls a remote error.
func refused(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error"
}
