package configs

import (
	"encoding/base64"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ACME is how certificates are had from authorities that speak ACME (RFC 8555).
type ACME struct {
	Email          string // where an authority writes to when something is wrong with the certificates
	Directory      string // URL of the first authority, or one of the names that are known
	Profile        string // "" is the authority's default
	PreferredChain string // common name of the root that the chain should end at; "": the authority's choice
	CA             string // PEM file of who may sign for the directory's host; "" is the system's
	EAB            EAB
	Fallback       []Authority // asked in this order when those before them have failed
	Challenges     []Challenge // with which control of a host is shown, where there is no DNS
	DNS            ChallengeDNS
	KeyType        KeyType
}

// Authority is a certificate authority to fall back to. Its fields are as those of ACME.
type Authority struct {
	Directory      string
	Profile        string
	PreferredChain string
	CA             string
	EAB            EAB
}

// EAB is an account that was opened elsewhere (external account binding, RFC 8555 section
// 7.3.4); both or none.
type EAB struct {
	KeyID   string
	HMACKey string // base64url
}

// Authorities returns all that may be asked, the first one first.
func (a ACME) Authorities() []Authority {
	first := Authority{Directory: a.Directory, Profile: a.Profile, PreferredChain: a.PreferredChain, CA: a.CA, EAB: a.EAB}
	return append([]Authority{first}, a.Fallback...)
}

// The names of directories.
const (
	LetsEncrypt        = "letsencrypt"
	LetsEncryptStaging = "letsencrypt-staging"
	ZeroSSL            = "zerossl"
)

// Challenge is a way to show control of a host.
type Challenge string

// The challenges that need no DNS provider: RFC 8555 section 8.3 and RFC 8737.
const (
	HTTP01    Challenge = "http-01"
	TLSALPN01 Challenge = "tls-alpn-01"
)

// AnswersChallenges reports whether an authority may come to l for the answer to an HTTP
// challenge: to what redirects, and to all that is spoken in plain on the port where it
// looks for it.
func (l Listener) AnswersChallenges() bool {
	return !l.TLS && (l.Kind == Redirect || strings.HasSuffix(l.Address, ":80"))
}

// KeyType is the kind of key of a certificate.
type KeyType string

// The kinds of key.
const (
	P256    KeyType = "p256"
	P384    KeyType = "p384"
	RSA2048 KeyType = "rsa2048"
	RSA4096 KeyType = "rsa4096"
)

// DNSProvider is who serves the zones of the hosts.
type DNSProvider string

// The providers. RFC2136 is any server that takes dynamic updates, such as BIND.
const (
	RFC2136    DNSProvider = "rfc2136"
	Cloudflare DNSProvider = "cloudflare"
	Route53    DNSProvider = "route53"
)

// HMACSHA256 is the usual algorithm of TSIG (RFC 8945).
const HMACSHA256 = "hmac-sha256"

// ChallengeDNS is how control of a host is shown by a record in its zone (dns-01, RFC 8555
// section 8.4): for wildcards, and where nobody can come in from outside. When there is a
// provider, it is the way for all hosts.
type ChallengeDNS struct {
	Provider    DNSProvider // "": none
	RFC2136     Updates
	Cloudflare  Token
	Route53     AccessKey
	Resolvers   []string      // host:port, asked whether the record can be seen; nil: those of /etc/resolv.conf
	Propagation time.Duration // how long it may take until it can be seen
}

// Updates are what a server for dynamic updates (RFC 2136) asks for.
type Updates struct {
	Server       string // host:port, the host an IP address
	KeyName      string // of the TSIG key (RFC 8945)
	KeyAlgorithm string
	Key          string // base64
}

// Token is what Cloudflare asks for.
type Token struct {
	APIToken string // may edit DNS of the zones
}

// AccessKey is what AWS asks for. Without one it is found where AWS's own tools look: in the
// environment, or from the machine's role.
type AccessKey struct {
	ID     string
	Secret string
	Region string
}

const mostFallbacks = 8

// acme checks the section at key, which would be ignored with another issuer.
func (c compiler) acme(key string, a ACME, issuer Issuer) ACME {
	if issuer != IssuerACME {
		if a.Email != "" && !c.within("tls.issuer") {
			c.wrong(child(key, "email"), "nothing, because tls.issuer is not acme", "")
		}
		return defaultACME()
	}
	c.email(child(key, "email"), a.Email)
	c.challenges(child(key, "challenges"), a.Challenges)
	oneOf(c, child(key, "key_type"), a.KeyType, P256, P384, RSA2048, RSA4096)
	first := c.authority(key, a.Authorities()[0])
	a.Directory, a.CA = first.Directory, first.CA
	list := child(key, "fallback")
	if len(a.Fallback) > mostFallbacks {
		c.wrong(list, "at most "+plainly(mostFallbacks)+" authorities", "")
	}
	a.Fallback = some(a.Fallback)
	for i, f := range a.Fallback {
		a.Fallback[i] = c.authority(index(list, i), f)
	}
	c.differentAuthorities(list, a.Authorities())
	a.DNS = c.challengeDNS(child(key, "dns"), a.DNS)
	return a
}

func (c compiler) email(key, written string) {
	if parsed, err := mail.ParseAddress(written); err != nil || parsed.Address != written {
		c.wrong(key, "an e-mail address, to which the authority writes when something is wrong", "")
	}
}

func (c compiler) challenges(key string, list []Challenge) {
	if len(list) == 0 {
		c.wrong(key, "at least one of "+string(HTTP01)+", "+string(TLSALPN01), "")
	}
	for i, challenge := range list {
		oneOf(c, index(key, i), challenge, HTTP01, TLSALPN01)
	}
	unique(c, key, list)
}

// authority checks what there is to know of one.
func (c compiler) authority(key string, a Authority) Authority {
	if !validDirectory(a.Directory) {
		c.wrong(child(key, "directory"), "the https:// URL of an ACME directory, or one of "+
			LetsEncrypt+", "+LetsEncryptStaging+", "+ZeroSSL, nearest(a.Directory, []string{LetsEncrypt, LetsEncryptStaging, ZeroSSL}))
	}
	a.CA = c.file(child(key, "ca"), a.CA)
	c.eab(child(key, "eab"), a)
	return a
}

func validDirectory(written string) bool {
	if slices.Contains([]string{LetsEncrypt, LetsEncryptStaging, ZeroSSL}, written) {
		return true
	}
	u, err := url.Parse(written)
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}

func (c compiler) eab(key string, a Authority) {
	switch _, err := base64.RawURLEncoding.DecodeString(a.EAB.HMACKey); {
	case a.Directory == ZeroSSL && a.EAB == EAB{}:
		c.wrong(key, "key_id and hmac_key, which ZeroSSL shows in its console under Developer", "")
	case a.EAB.KeyID == "" && a.EAB.HMACKey != "":
		c.wrong(child(key, "key_id"), "the id that belongs to hmac_key", "")
	case a.EAB.KeyID != "" && a.EAB.HMACKey == "", err != nil:
		c.wrongSecret(child(key, "hmac_key"), "the key that belongs to key_id, in base64url without padding")
	}
}

// differentAuthorities checks that nobody is asked twice.
func (c compiler) differentAuthorities(list string, all []Authority) {
	for i, a := range all[1:] {
		if slices.ContainsFunc(all[:i+1], func(b Authority) bool { return a.Directory == b.Directory }) {
			c.wrong(child(index(list, i), "directory"), "an authority that was not asked before", "")
		}
	}
}

// challengeDNS checks that the provider has what it needs, and no other has anything.
func (c compiler) challengeDNS(key string, d ChallengeDNS) ChallengeDNS {
	if d.Provider != "" {
		oneOf(c, child(key, "provider"), d.Provider, RFC2136, Cloudflare, Route53)
	}
	for other, set := range map[DNSProvider]bool{
		RFC2136:    d.RFC2136 != defaultACME().DNS.RFC2136,
		Cloudflare: d.Cloudflare != Token{},
		Route53:    d.Route53 != AccessKey{},
	} {
		if set && other != d.Provider {
			c.wrong(child(key, string(other)), "nothing, because provider is not "+string(other), "")
		}
	}
	switch d.Provider {
	case RFC2136:
		d.RFC2136 = c.updates(child(key, "rfc2136"), d.RFC2136)
	case Cloudflare:
		if d.Cloudflare.APIToken == "" {
			c.wrong(child(child(key, "cloudflare"), "api_token"), "an API token that may edit DNS of the zones", "")
		}
	case Route53:
		if (d.Route53.ID == "") != (d.Route53.Secret == "") {
			c.wrong(child(child(key, "route53"), "secret"), "both id and secret, or neither", "")
		}
	}
	d.Resolvers = c.servers(child(key, "resolvers"), d.Resolvers)
	between(c, child(key, "propagation"), d.Propagation, time.Second, time.Hour)
	return d
}

func (c compiler) updates(key string, u Updates) Updates {
	u.Server = c.server(child(key, "server"), u.Server)
	if u.KeyName == "" {
		c.wrong(child(key, "key_name"), "the name of the TSIG key", "")
	}
	oneOf(c, child(key, "key_algorithm"), u.KeyAlgorithm, HMACSHA256, "hmac-sha384", "hmac-sha512")
	if secret, err := base64.StdEncoding.DecodeString(u.Key); err != nil || len(secret) == 0 {
		c.wrongSecret(child(key, "key"), "the secret of the TSIG key, in base64")
	}
	return u
}
