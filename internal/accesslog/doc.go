// Package accesslog writes one JSON object a line for each exchange, without
// ever making an exchange wait.
//
// The way of a line:
//
//  1. Write decides whether it is due. Only exchanges that went well are
//     sampled, by counting, so that a tenth is every tenth; a refusal or a
//     failure, a backend's own 5xx among them, is always written.
//  2. The line is formatted on a workbench from a pool, outside of any lock,
//     and copied into the buffer that is being filled: the lock is held for one
//     copy of some 400 bytes.
//  3. Run, the one goroutine that writes, swaps that buffer for an
//     empty one when it is half full, and every 200 ms, and writes it in one
//     call.
//  4. If the output is slow or broken, the buffer fills and further lines are
//     dropped and counted (Dropped). Exchanges go on as if nothing were wrong.
//  5. SetOutput writes what was logged to the old output and changes to another,
//     while exchanges go on. No line is lost or torn by it.
//
// The last lines of what was refused, failed or slow are kept for operators as well
// (Recent), in memory of a fixed length; for what went well that is three comparisons.
//
// What a client wrote is shown escaped and cut to a length: everything outside
// of printable ASCII becomes \u00XX or \uXXXX, bytes that are not UTF-8 one by
// one, and "…" stands where a text went on. Queries, bodies and cookies are
// never shown.
//
// Lines are built by hand and not by zerolog, which writes the other logs, for
// two reasons: zerolog leaves DEL, the C1 controls and bidirectional marks in
// what a client sent, and it takes 480 ns for such a line, formatting alone,
// where this package takes 210 ns with buffering and output, and allocates
// nothing (go test -bench Write).
package accesslog
