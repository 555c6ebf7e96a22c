// Package proxy is the request path of the gate.
//
// # The life of a request
//
// Settings are compiled into a snapshot that never changes (snapshot.go). Then, for
// each connection:
//
//  1. accept: the limits on connections, the PROXY header from named senders.
//  2. handshake: under a deadline; the name in the ClientHello chooses the
//     listener.
//
// and for each request on it, on the connection's own goroutine or, on HTTP/2, on one
// of a crew:
//
//  3. read: an engine (wire/h1, wire/h2) reads a head into an exchange, or refuses it.
//     Whether the exchange is told to a collector of traces is decided here (trace.go).
//     An authority that comes to see whether a host is under our control is answered
//     before all that follows: it may come to any host, from anywhere (challenge.go).
//  4. admit: Host is one of the listener's; the client's true address; ranges.
//  5. match: method and raw target against the routes; preflights and redirects
//     are answered here.
//  6. body: up to 64 KiB are read before a backend is bothered.
//  7. pick: a backend that is up and has room is claimed, after a wait if need be
//     (package pool).
//  8. attempt: one write with our fields in and the client's hop-by-hop fields
//     out; the answer is read, as far as it is short.
//  9. again: as long as nothing was sent to the client, and the request may be
//     repeated, another backend is picked (retry.go).
//  10. respond and finish: the answer goes to the client, the claim back, and
//     one line and one observation tell what happened.
//
// Steps 3 to 10 are methods of those names in handler.go, in that order, but for
// again; the first two are in accept.go and conn.go, as they come before any
// request. A step that returns an error ends the exchange; refuse is the one place
// where an error becomes an answer, with a reason from the closed list of package
// reason.
//
// The steps know the client by its wire.Stream alone, so both protocols go the same
// way. Each exchange has a lane of its connection: HTTP/1.1 has one, HTTP/2 one for
// each open stream (http2.go).
//
// # The life of settings
//
// A change of settings is another snapshot, compiled with the one before at hand: what is
// the same in both, such as a pool, is taken over (reload.go). Prepare does what can fail,
// and nobody notices; Commit puts the snapshot in place.
//
// Two things outlive snapshots, both in port.go. A port is a socket that accepts, and
// points to the current address. A station is a listener as its connections know it, and
// points to the current listener, which each request looks up: so rules hold from the next
// request on. What holds for a connection from its beginning to its end are the terms of
// its station. Where a change touches those, the station ends: its connections finish what
// they have, as they began, and leave. Pools that are no more finish what they have as
// well (shift.go).
//
// Another process takes over by inheriting the sockets (inherit.go); this one drains.
//
// # While nothing happens
//
// A connection waits for its next request on the goroutine that served the last
// one, for about a second. Then that goroutine ends and a new one with the
// smallest of stacks waits for the socket to become readable (see waiting.go),
// so that a hundred thousand idle visitors cost little.
package proxy
