// Package syslog is an output for the access log: it sends each line to a syslog as a
// message of its own.
//
//   - Over the network (udp, tcp) messages are those of RFC 5424, by TCP each behind
//     its length (RFC 6587, section 3.4.1), so that nothing in a line can end it.
//   - On a socket of this machine (unix) they are what syslog(3) writes: journald and
//     rsyslog read nothing newer there.
//
// The message is the line as it is. Its level becomes the severity, and its time the
// time of the message, both of the facility local0.
//
// Write never waits longer than its patience, and between two tries to connect there
// are pauses. What cannot be delivered is not kept: Write says how much it was, and the
// log counts the lines. What a TCP connection that breaks had already taken is lost
// without a count, as with everybody who speaks syslog over TCP; that it was closed in
// peace is noticed before anything is written.
//
// The standard library's log/syslog speaks the older RFC 3164 everywhere, connects and
// writes without a deadline, and connects again at once, and for each line.
package syslog
