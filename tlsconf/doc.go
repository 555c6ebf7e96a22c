// Package tlsconf keeps the certificates of the gate and hands out what a TLS
// handshake needs: settings in, one *tls.Config per address out.
//
// # The order of things
//
//  1. [New] loads everything that can fail: the PEM files of tls.files, and the
//     internal CA when a host is left that no file covers. All mistakes come back
//     at once. It reads what authorities have signed before, and asks nobody.
//  2. [Keeper.Config] gives the *tls.Config of one address. Its one task is to let
//     the name in the ClientHello (SNI) choose the listener; the handshake goes on
//     with the configuration of that listener. A name nobody configured ends in
//     the alert unrecognized_name before any key is computed.
//  3. [Keeper.Run] watches the files, has certificates ordered and renewed, and
//     changes the keys of session tickets. A new pair that is broken, not valid or
//     covers less than the old one is refused with a log line, and the old one
//     stays.
//
// # What a handshake touches
//
// Everything is built before the first client comes. A handshake reads one
// immutable [table] of certificates behind one atomic pointer, and the two ticket
// keys of its listener behind another; it takes no lock of ours and allocates
// nothing of ours but the ticket itself.
//
// # Session tickets
//
// Each listener has its own ticket keys, so that a session of a public listener is
// worth nothing on a gui listener of the same address. crypto/tls would not do this
// by itself: a configuration that comes from GetConfigForClient without explicit
// keys shares the automatic keys of the outer one. Tickets are sealed with AES-GCM,
// with the server name as additional data: a client that comes back under another
// name gets a full handshake, and no ticket outlives two key changes (24 hours). A change
// of settings and a process that takes over get the keys, and change them when they would
// have been changed (legacy.go).
//
// Gates that share a storage share the keys as well (ring.go), so that a client
// resumes on any of them: each key is written there 12 hours before it is used. A
// gate that cannot reach the storage goes on with keys of its own.
//
// # Certificates of clients
//
// A listener with client_certificates has a [guard], which builds its configuration
// anew with each change of its files; the door asks it for the current one, and other
// listeners pay one comparison. crypto/tls checks that the client has the key; all else
// is the guard's, of resumed sessions as well: signatures, time and use by crypto/x509,
// which is shown no certificate that does not lead to the CA, so that strangers cannot
// choose what a refusal costs; then the revocation lists and the names. Each change begins
// new ticket keys.
//
// Where it cannot be known whether a certificate is good, it is refused. So a CA that
// becomes broken leaves the old one in use, which is never laxer than intended; but
// lists that become broken, end or are not signed by the CA refuse every certificate
// until they are repaired. A CA that signed and has no list counts as an ended one.
//
// # Protocols
//
// Each listener offers by ALPN what it is set to: h2 and http/1.1, or http/1.1
// alone; listeners of one address need not agree. A client that offers nothing
// speaks HTTP/1.1. One that offers only what the listener does not know gets the
// alert no_application_protocol (RFC 7301, 3.2). A session belongs to no protocol:
// a client may resume it with another one. What RFC 9113, 9.2 demands of TLS below
// HTTP/2 holds for every listener: suites with forward secrecy and an AEAD, no
// compression and no renegotiation, neither of which crypto/tls has.
//
// # Issuers
//
// Files win for the hosts they cover. For the others there is the internal CA
// (authority.go), which signs at once, or authorities that speak ACME (RFC 8555):
// managed.go has certmagic order and renew, for hosts of the settings alone.
//
// What certmagic obtains goes through the storage into our table: after each order,
// and every few seconds for hosts whose certificate is missing or due, as another
// gate with the same storage may have obtained it. So a handshake knows nothing of
// certmagic, and a storage that is away takes nothing from what is shown. upkeep.go
// makes the orders that certmagic would repeat and goes on with hosts whose storage was
// away, bundle.go keeps what belongs together in one value, book.go how orders went, which bounds
// how often one is made. An authority that comes to look is answered by challenge.go,
// over HTTP through package proxy, over TLS by a configuration of its own. A provider
// of DNS is a file (dns_rfc2136.go) and a line in dns.go.
//
// How a certificate stands is asked of whom it names for that (responders.go), each hour
// and at each start; staple.go shows the answer while it lasts, and has replaced what is
// revoked. Where nobody is named, the authority says when it wants a certificate renewed,
// and certmagic asks it as often as it says.
//
// # Towards backends
//
// [Outbound] is the other direction: whom the gate trusts when it speaks HTTPS to
// the backends of a pool, and what it shows them. Its files are followed as well;
// each change is a new *tls.Config, so that no session of before is resumed.
//
// Words: a pair is one certificate file and its key file; to cover a host is to be
// valid for that name; a leaf is what the internal CA signed.
package tlsconf
