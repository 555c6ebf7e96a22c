// Package testdns is a DNS server for tests, on a port of loopback of its own,
// over UDP and TCP. It answers from what the test last told it, as a resolver
// does that knows everything: it follows CNAME records, says NXDOMAIN to names
// it never heard of, and cuts answers that are too long for UDP.
//
//	dns := testdns.Start(t)
//	dns.Set("be.example", "A", 1, "127.0.0.1", "127.0.0.2")
//	dns.Fail("be.example", "SERVFAIL", "AAAA")
//	...
//	dns.Silence("be.example")
//	dns.Await(dns.Questions() + 1)
//
// Names are absolute, with or without the trailing dot. What the test says holds
// for the next question on; all of it may be said while questions come in.
// Errors of the test's own, such as a record that is none, end the test.
package testdns
