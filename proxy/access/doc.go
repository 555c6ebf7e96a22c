// Package access answers who a client is and whether its address may come in.
// It decides only; it opens, closes and logs nothing.
//
//   - Ranges is a set of addresses: the clients of a gui listener, the trusted
//     proxies, the senders of PROXY headers.
//   - Forwarded finds the address of a client behind trusted proxies.
//   - Counter bounds the connections of one client, Pace how often it begins one.
//
// An address has one form here: IPv4 that came mapped into IPv6
// (::ffff:10.0.0.1) is IPv4, so that no range is passed by writing an address
// differently. The road of a request takes no lock and allocates nothing; the
// Counter and the Pace, asked once per connection, lock one of their shards.
package access
