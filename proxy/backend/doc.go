// Package backend holds the gate's connections to one backend: made on demand,
// kept for a short while, checked before they are used again, and given up the
// moment anything about them is not as it should be.
//
// # Why an idle connection is dangerous
//
// A backend closes connections that idle (uvicorn after 5 s). A request written
// while it does so is lost, and nobody can say whether it was read. So a
// connection is kept for less time than any backend would (Options.Idle, or four
// fifths of what the backend says or shows that it allows), the
// one used last is used first, and before a request is written the connection
// is read once: it must have nothing to say. What is left is a race of
// microseconds, which ends in ErrStale or in a ResultError that says Unread, and the
// caller may send the request again.
//
// # One goroutine, few system calls
//
// Exchange writes the request and waits for the answer in one go on the
// caller's goroutine: read for the check, write, wait, read. There is no reader
// in the background, no channel and no lock but that of the stack of kept
// connections. Only when the socket cannot take the request at once does a second
// goroutine write the rest, because an answer may come before all is taken.
//
// # Over TLS
//
// The same holds with crypto/tls in between, on a socket of ours below it: that
// can read without waiting, for the check, and keeps what the kernel does not take
// at once. What crypto/tls has in its buffers counts as waiting, half a record as
// well. The configuration is asked for with every connection; nothing that was
// made by another one is used again.
//
// # When there are too many
//
// The connections to all backends share a number of places (Places), so that file
// descriptors are left for clients, checks and logs. Who finds none waits in line, for
// as long as making a connection may take.
//
// # When a host vanishes
//
// An attempt to connect that takes much longer than usual is told of at once
// (Options.Slow), long before it fails. On connections that stand, TCP itself
// gives up on a silent host within ten seconds.
package backend
