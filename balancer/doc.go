// Package balancer holds pools of backends and says whose turn it is. It does
// no I/O and asks nobody how a backend is: whoever knows calls Pool.SetUp.
//
// A backend may take new work if it is up, not draining and has a weight. The
// policy of a pool turns those that may into a rotation, a value that never
// changes; it is published anew with one pointer when any of the three changes.
// So a pick costs an atomic addition and a look into the rotation, whether the
// pool has two backends or a thousand, and takes no lock.
//
// Picking claims: the backend counts one attempt more until Release. One that
// has as many as it may is passed over, and its turn goes to the next in line.
// A repeated attempt names the backend of the one before, which is avoided as
// long as another can take it.
//
// Weighted round robin, in rotation.go, is the policy there is. Policies that
// look at claims get a file each beside it; a set of backends that changes
// while it serves, and backends that start slowly, are other ways to call
// publish.
package balancer
