// Package scenario lets things go wrong behind the gate and under it, and demands what
// a client may still expect: backends are killed, stopped, restarted, cut off, slow,
// flapping or renamed, disks are full, file descriptors used up and clocks set while
// requests come at a constant rate. Or the gate itself is reloaded, replaced and ended
// meanwhile.
//
// The gate is the program as it is shipped, in a process of its own, and so is each
// backend. The client sends when a request is due, whether or not those before it
// were answered, over HTTP/1.1 and HTTP/2, on connections that it keeps and on new
// ones. It never sends one twice, not even where it might; so what the gate loses or
// repeats is seen. Every request has an id. A backend keeps a journal of what it was
// given and puts id and content into its answer: what is lost, delivered twice or
// answered with the answer of another is found out whatever the gate thinks of it.
// When a scenario is over, the gate must hold no more goroutines and file descriptors
// than before it.
//
// The tests have the build tag scenario: `make scenarios` runs them in a short form,
// `make soak` (SOAK=1) at length. Some make network namespaces, which needs root,
// ip and nft, or small file systems, which needs root. At length nginx and HAProxy are
// put in the place of the gate as well, to be counted beside it; of them nothing is
// demanded.
//
// Words: a site is a gate with its backends; a visit is one request and what came
// of it; a report is what all visits say together.
package scenario
