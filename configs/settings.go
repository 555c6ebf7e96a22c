package configs

import (
	"net/netip"
	"time"
)

// Settings is everything an operator can set, parsed, defaulted and checked.
// A value of this type never changes after Load has returned it.
type Settings struct {
	Listeners      []Listener
	Pools          []Pool
	TLS            TLS
	Limits         Limits
	Timeouts       Timeouts
	TrustedProxies []netip.Prefix
	Admin          Admin
	Log            Log
	Traces         Traces
	Tests          []Test
}

// Kind says what a listener is for.
type Kind string

// The kinds of listener.
const (
	Public   Kind = "public"   // only what allow names
	GUI      Kind = "gui"      // everything, but only from clients
	Redirect Kind = "redirect" // plain HTTP: a redirect to https for GET and HEAD
)

// Listener is one entry of listeners.
type Listener struct {
	Name           string
	Kind           Kind
	Address        string         // host:port as net.Listen takes it
	Hosts          []string       // lower case; "*.example.com" is one label; IP literals allowed
	TLS            bool           // false: plain HTTP (kind redirect, or `tls: off`)
	HTTP2          bool           // beside HTTP/1.1; never without TLS
	MinVersion     string         // of TLS: "1.2" or "1.3"; "" without TLS
	Allow          []Allow        // kind public; default: the preset track
	Clients        []netip.Prefix // kind gui
	Deny           Deny           // what a client outside of Clients gets
	CORS           CORS
	Pool           string
	HSTS           time.Duration // 0: no field
	BasePath       string        // "" or "/api": stripped before matching
	ClientIPHeader string        // lower case; a further field that carries the client's address
	HideErrors     bool
	ProxyProtocol  []netip.Prefix // senders of which a PROXY header is demanded; empty: none is read
	Limits         Limits         // the general ones where the listener sets none

	ClientCertificates ClientCertificates // never without TLS
}

// Allow is one entry of allow: a preset, or methods and a path.
type Allow struct {
	Preset  string   // "track", "tracker", ...; "" for a path of its own
	Methods []string // upper case
	Path    string   // exact, or a subtree with a closing "/*"
}

// Deny is what a client outside of the ranges of a gui listener gets.
type Deny string

// What deny can be.
const (
	DenyRespond Deny = "respond" // 403 with a reason
	DenyDrop    Deny = "drop"    // the connection is closed without a byte
)

// CORS says what the edge answers to other origins. Off passes the fields on.
type CORS struct {
	Off     bool
	Origins []string // "*" or origins like "https://shop.example.com"
	MaxAge  time.Duration
}

// TLS says where certificates come from.
type TLS struct {
	Issuer     Issuer
	ACME       ACME
	Files      []KeyPair
	Storage    string // folder
	Redis      Redis
	MinVersion string // "1.2" or "1.3", where a listener says nothing else

	HybridKeyExchange bool // offers X25519MLKEM768, which a quantum computer would not break
	ECH               []ECHKey
}

// Issuer is who signs certificates for hosts that no file covers.
type Issuer string

// The issuers.
const (
	IssuerACME     Issuer = "acme"
	IssuerInternal Issuer = "internal"
	IssuerNone     Issuer = "none"
)

// KeyPair names the PEM files of one certificate and its key.
type KeyPair struct {
	Certificate string
	Key         string
}

// Limits bound what a client may ask of the gate.
type Limits struct {
	Body                 Size // of a request
	Head                 Size // request line and fields
	Target               Size
	Fields               int
	BodyRate             Size // bytes a second that a body must reach after the first ten
	Streams              int  // that may be open at once on an HTTP/2 connection
	StreamsPerConnection int  // on one HTTP/2 connection in its life
	Connections          int  // of the whole gate
	ConnectionsPerClient int  // 0 is no limit
	HandshakesPerClient  int  // in a second, of TLS, and four times as many at once; 0 is no limit
}

// Timeouts bound how long the gate waits for a client.
type Timeouts struct {
	Handshake time.Duration // absolute, from accept to the end of the TLS handshake
	Head      time.Duration // absolute, from the first byte of a request to the end of its head
	Body      time.Duration // between two reads of a body
	Write     time.Duration // for a client to take what it was sent
	KeepAlive time.Duration // between two requests
	Announce  time.Duration // from SIGTERM until nothing new is accepted: the gate says that it leaves
	Drain     time.Duration // from then until open exchanges are cut
}

// Size is a number of bytes; in YAML a number or a number with B, KiB, MiB, GiB, kB, MB, GB.
type Size int64

// Admin is the side for operators. Empty strings switch a side off.
type Admin struct {
	Socket  string
	Address string
	Watch   bool // the file of the settings: a change is a reload
}

// Log says what is written.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // json, console
	Access AccessLog
}
