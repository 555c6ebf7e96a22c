// Package faults stands between the gate and a backend in tests, and spoils what
// passes as networks and dying machines do: it refuses, resets, stays silent, is
// late, cuts answers short or garbles them.
//
//	proxy := faults.NewProxy(t, alive)
//	proxy.Set(faults.CutAfter(100))
//
// What it does is a [Mode], which can be changed while connections run; it then
// holds for what passes from that moment on. Nothing is left to chance: the same
// bytes in the same mode meet the same fate.
//
// It sees TCP and nothing above it. Where HTTP matters (where an answer begins),
// it takes every piece that comes from the client's side for a new request.
//
// Words: a link is one connection from the client's side with the one to the
// backend that belongs to it; a silent link is one whose other end has vanished.
package faults
