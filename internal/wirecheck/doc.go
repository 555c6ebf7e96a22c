// Package wirecheck shows what becomes of everything that a client or a backend
// may send. It holds nothing but tests.
//
// testdata/corpus.json lists the cases byte by byte, each with what is
// acceptable and why; its "meta" explains the format. For each one
//
//  1. corpus reads the case and expands its placeholders, and frame its frames of
//     HTTP/2, into steps,
//  2. the gate, built and started as an operator would, gets these bytes over TLS,
//  3. recorder, the only backend behind the gate, keeps what reaches it, and
//     answers well or, by script, badly,
//  4. client reads what the gate answers,
//  5. judge compares both sides with what the case accepts: what it must not
//     be is a failure, and what is legal but lenient fails as well.
//
// Cases run one after another on a lane: a gate and a recorder of its own. The
// lanes run side by side. After that, floods come over the gate, while visitors go
// on as if nothing was and its footprint is watched. deviations lists the cases in which this project wants
// something else than the corpus.
package wirecheck
