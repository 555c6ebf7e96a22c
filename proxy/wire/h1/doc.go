// Package h1 speaks HTTP/1.1 (RFC 9112), strictly: one spelling of everything.
//
// The reading side is made of pure parts that are given bytes and either take
// them or refuse them: Scanner finds the end of a head without looking at a
// byte twice, ParseRequest and ParseResponse read a whole head in place, Chunks
// undoes the chunked coding step by step. None of them allocates, none of them
// repairs. The writing side appends to a slice (AppendRequest and Writer), with
// the framing decided once by the reader.
//
// ServerConn puts the parts together for a client's connection. It owns no
// buffer while it waits: a first byte comes into the connection itself, then
// buffers come from a pool and go back with the answer. Head and small body of
// an answer leave in one write.
//
// # What is refused, and why
//
// Two readers that differ about where a message ends are how requests are
// smuggled (RFC 9112 section 11.2). So a head with a bare CR or LF, a folded
// line, white space around a name, a control byte, two lengths or none that is
// one plain number, any transfer coding but exactly "chunked", or a chunk that
// is not spelled plainly ends the connection with 400. No byte behind the
// fault is interpreted.
//
// Names and values are held to what every backend reads in the same way. In a
// request "_" in a name is refused, because WSGI and CGI take it for "-", and so
// is a value that is not UTF-8; a name with another odd byte is not passed on.
// An answer may have both. In a trailer section whatever is odd, and every field
// that means something, is not passed on (RFC 9110 section 6.5.1).
package h1
