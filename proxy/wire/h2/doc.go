// Package h2 speaks HTTP/2 to clients (RFC 9113), at the price of HTTP/1.1.
//
// # Who does what
//
// One goroutine reads the connection: Conn.Serve. It takes the frames in place from one
// buffer, decodes field blocks into the streams they are for, and puts bodies there.
// When it has seen to everything that was read together, it hands out the streams whose
// requests are whole: the Handler has each served on a goroutine of its own, by the same
// steps as HTTP/1.1, as Stream is a wire.Stream. A request that comes in slowly costs no
// goroutine and no more than its bytes until it is whole; one that is too large to be
// held is handed out as soon as that is known, and its goroutine then waits for the rest.
//
// There is no goroutine that writes. Whoever has something to say appends frames to the
// connection's buffer, under its lock, and writes the buffer unless somebody does so
// already: the one who writes goes on until nothing is left. If other streams are open
// it first lets every goroutine go that can run, so that answers which are ready
// together leave in one TLS record. The reader never writes: a client may send until its
// answers are read, and would wait for us as we for it.
//
// # Memory
//
// A connection that sleeps (Serve has returned ErrIdle) owns no buffers, only the table
// that its client's field blocks refer to, at most 4 KiB. Streams come from a pool with
// their buffers: the head and a usual event behind it fit into the first one. A warm
// connection allocates nothing. What a client can make us keep is bounded: by the windows
// of its streams (64 KiB each, the size of an event that can be held and sent again), by
// their number, and by the size and the number of fields.
//
// # Flow control
//
// The window of a stream is given back as its body is read by the exchange, so a slow
// backend slows its client down. The window of the connection is given back as frames
// arrive: it bounds what is on its way, and one slow stream does not hold up the others.
// What we send waits for the client's windows, for as long as a write may take.
//
// # What is refused, and how
//
// Strictness is that of HTTP/1.1, as every request becomes one (see wire/h1): a request
// that is malformed is answered with 400 and RST_STREAM(PROTOCOL_ERROR), what breaks
// the framing ends the connection with GOAWAY. A body must have exactly the length that
// Content-Length says. What is cheap to send and dear to answer has a price (see
// abuse.go): at three quarters of what a connection may spend its client is told
// ENHANCE_YOUR_CALM and its further streams are ignored, at the limit it is closed. A
// stream that was reset counts as open until its work has ended.
//
// An event that came whole is delivered even if its stream is reset: pages reset what
// they have sent when they are left.
package h2
