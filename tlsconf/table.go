package tlsconf

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/trackgate/trackgate/configs"
)

// Certificate is what the gate shows for some of its hosts.
type Certificate struct {
	Hosts     []string // as configured
	NotBefore time.Time
	NotAfter  time.Time
	Issuer    string // who signed it, by its own word
	Source    string // the certificate's file, "internal", or "acme: " and the authority
	Renewed   bool   // by the gate
}

// Certificates returns what is shown at this moment.
func (k *Keeper) Certificates() []Certificate {
	return slices.Clone(k.table.Load().list)
}

// Missing returns the hosts that nothing is shown for at this moment: certificates of
// authorities are on their way, or their orders fail.
func (k *Keeper) Missing() []string { return slices.Clone(k.table.Load().bare) }

// heldCert is a certificate with its parsed leaf, and where it came from.
type heldCert struct {
	cert   *tls.Certificate
	source string
	ours   bool // the gate has it renewed
}

// table says which certificates are shown for which host. It never changes.
type table struct {
	names map[string][]heldCert // "a.example.com"; ".example.com" for "*.example.com"
	addrs map[netip.Addr][]heldCert
	list  []Certificate
	shown map[*tls.Certificate]int // where each is in list
	bare  []string                 // hosts for which there is nothing
}

// newTable chooses for every host of listeners: from held, and where nothing valid is
// there, what is managed for this very host.
func newTable(listeners []configs.Listener, held []heldCert, managed map[string]heldCert, now time.Time) *table {
	t := &table{names: map[string][]heldCert{}, addrs: map[netip.Addr][]heldCert{}, shown: map[*tls.Certificate]int{}}
	for _, host := range hostsOf(listeners) {
		chosen := choose(host, held, now)
		if own, ok := managed[host]; ok && !slices.ContainsFunc(chosen, func(h heldCert) bool { return validAt(h.cert.Leaf, now) }) {
			chosen = []heldCert{own}
		}
		if len(chosen) == 0 {
			t.bare = append(t.bare, host)
			continue
		}
		if name, addr := keyOf(host); name == "" {
			t.addrs[addr] = chosen
		} else {
			t.names[name] = chosen
		}
		for _, h := range chosen {
			t.enlist(h, host)
		}
	}
	return t
}

func (t *table) enlist(h heldCert, host string) {
	i, ok := t.shown[h.cert]
	if !ok {
		i = len(t.list)
		t.shown[h.cert] = i
		t.list = append(t.list, describe(h))
	}
	t.list[i].Hosts = append(t.list[i].Hosts, host)
}

func describe(h heldCert) Certificate {
	leaf := h.cert.Leaf
	return Certificate{NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Issuer: nameOf(leaf.Issuer), Source: h.source, Renewed: h.ours}
}

// find returns what may be shown for a name, or without one for a local address.
func (t *table) find(name string, local netip.Addr) []heldCert {
	if name == "" {
		return t.addrs[local]
	}
	if found, ok := t.names[name]; ok {
		return found
	}
	if dot := strings.IndexByte(name, '.'); dot >= 0 && t.names[name[dot:]] != nil {
		return t.names[name[dot:]]
	}
	addr, _ := netip.ParseAddr(name) // not allowed as a name (RFC 6066, 3), and yet sent
	return t.addrs[addr]
}

// keyOf returns where table keeps a configured host: under a name or an address.
func keyOf(host string) (string, netip.Addr) {
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return "", addr.Unmap()
	}
	return strings.TrimPrefix(host, "*"), netip.Addr{}
}

// choose returns the certificates for host, one per kind of key, the best first:
// valid now before others, ECDSA before the rest, then the one that lasts longest.
// Those that are not valid now count only where there is nothing else.
func choose(host string, held []heldCert, now time.Time) []heldCert {
	fits := slices.DeleteFunc(slices.Clone(held), func(h heldCert) bool { return !covers(h.cert.Leaf, host) })
	if slices.ContainsFunc(fits, func(h heldCert) bool { return validAt(h.cert.Leaf, now) }) {
		fits = slices.DeleteFunc(fits, func(h heldCert) bool { return !validAt(h.cert.Leaf, now) })
	}
	slices.SortStableFunc(fits, func(a, b heldCert) int {
		return cmp.Or(keyRank(a)-keyRank(b), b.cert.Leaf.NotAfter.Compare(a.cert.Leaf.NotAfter))
	})
	return slices.CompactFunc(fits, func(a, b heldCert) bool { return keyRank(a) == keyRank(b) })
}

// keyRank orders kinds of key by what a signature costs and who understands it.
func keyRank(h heldCert) int {
	switch h.cert.Leaf.PublicKeyAlgorithm {
	case x509.ECDSA:
		return 0
	case x509.RSA:
		return 1
	default:
		return 2
	}
}

// uncovered returns the hosts for which nothing in held is valid now.
func uncovered(hosts []string, held []heldCert, now time.Time) []string {
	var missing []string
	for _, host := range hosts {
		ok := slices.ContainsFunc(held, func(h heldCert) bool {
			return validAt(h.cert.Leaf, now) && covers(h.cert.Leaf, host)
		})
		if !ok {
			missing = append(missing, host)
		}
	}
	return missing
}

// covers reports whether leaf is made out to host. A configured wildcard demands
// the same wildcard in the certificate.
func covers(leaf *x509.Certificate, host string) bool {
	return leaf.VerifyHostname(host) == nil
}

func coversAll(leaf *x509.Certificate, hosts []string) bool {
	return !slices.ContainsFunc(hosts, func(host string) bool { return !covers(leaf, host) })
}

func validAt(leaf *x509.Certificate, now time.Time) bool {
	return !now.Before(leaf.NotBefore) && !now.After(leaf.NotAfter)
}

func hostsOf(listeners []configs.Listener) []string {
	var hosts []string
	for _, l := range listeners {
		hosts = append(hosts, l.Hosts...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
