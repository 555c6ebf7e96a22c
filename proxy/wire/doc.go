// Package wire holds what the protocol engines have in common: a request and
// an answer as they were read (Request, Response), their fields in the order
// they came (Fields), the names that mean something to the gate (Name), the
// ways a message can be wrong (Error), and the side of an exchange that faces
// the client (Stream).
//
// An engine reads a head into a Request and hands out a Stream; the handler in
// package proxy asks the Stream for the body, starts an answer, adds fields
// and writes. So a feature of the gate is written once, and HTTP/1.1 and the
// protocols after it differ only in how they frame.
//
// # Memory
//
// Fields are slices into the buffer that the head was read into; names are
// lowered in that buffer. Nothing is copied, and nothing may be kept beyond
// the exchange: the buffer goes back to a pool with the answer.
package wire
