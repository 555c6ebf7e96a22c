// Package discovery finds out who is there: which backends one entry of a pool
// stands for, as DNS tells it, and again whenever that may have changed. Whether
// a backend is up is not its business.
//
// A [Resolver] knows whom to ask. It makes a [Watch] for each entry, of the A and
// AAAA records of a host or of the SRV records of a service. A watch works in
// rounds:
//
//  1. names: what is written may be short for several names, in the order of the
//     search list. The first that has records wins.
//  2. ask: each question goes to the servers in turn, over UDP and, if the answer
//     was cut, over TCP. A and AAAA are asked at the same time.
//  3. settle: what could not be asked keeps the records it had; a round without
//     one fresh address changes nothing at all. So the last good set of members
//     stays for ever, whatever becomes of DNS.
//  4. tell: the members, sorted, so that those that stay are easy to see.
//  5. wait: until the records expire, within bounds; after failures 1 s, 2 s, 4 s
//     and so on.
//
// # Names
//
// A name that ends with a dot is asked as it is. Others go through search and
// ndots of resolv.conf as with glibc: past a name that does not exist (NXDOMAIN)
// or has no such records, on to the next one. Unlike there, and unlike in Go, a
// name that nobody could say anything about (SERVFAIL, timeout, garbage) ends the
// search, because otherwise one bad moment of a server would hand the pool over
// to whatever a later domain of the list calls by the same name. Two things
// follow from that a watch remembers which name won. After a doubtful name the
// winner is still asked, and may win again, but nobody else may. And a winner
// that exists but has lost its records (a service that was scaled to zero) is a
// failure and no reason to search on. With servers given by [Options] there is no
// resolv.conf and every name is absolute. /etc/hosts is never looked at.
//
// # Trust
//
// An answer counts if it comes from the address that was asked, over a socket
// that asked just this, with the same id and question; anything else is ignored
// until the time is over. Within it count only the records of the name asked, of
// those its CNAME records lead to, and of the targets of SRV records. An answer
// without recursion and without authority is none. Nothing is cached beyond the
// last good set, and DNSSEC is left to the resolver.
package discovery
