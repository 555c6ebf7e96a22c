// Package suites tries the gate with servers and clients that others wrote, mostly as
// Debian packages them.
//
// Behind it stand FastAPI on uvicorn, which may be restarted or killed, or a collector
// in Go that remembers each byte. In front of it:
//
//   - curl and openssl, in HTTP/1.1 and HTTP/2, and all versions of TLS;
//   - nghttp, which shows each frame, in every way it can be told to write;
//   - h2spec, which tries what RFC 9113 and RFC 7541 demand of a server, and h2load;
//   - Go's two clients, with bodies of every size, trailers, interim answers, requests
//     given up, and a gate that leaves;
//   - Chromium, with the pages of a shop that send events to another origin, and are
//     left at once.
//
// What was sent, what arrived, what was answered and what the access log says of it
// have to agree: no event is lost, and none comes twice.
//
// The tests have the build tag suites: `make suites` runs them, and `make install-tools`
// gets what they need, but for h2spec, which they build as the module in
// testdata/h2spec says.
package suites
