// Package balancer holds pools of backends and says whose turn it is. It does
// no I/O and asks nobody how a backend is: whoever knows calls Pool.SetUp and
// its like.
//
// A backend takes new work if it is up, not draining and has a weight, and if
// no backend of a lower priority does. Those that do are turned into a rotation,
// a value that never changes; it is published anew with one pointer when any of
// that changes, and when a backend joins or leaves. So a pick costs an atomic
// addition and one to three looks, whether the pool has two backends or a
// thousand, and takes no lock. The policies (policy.go) differ in what they do
// with the backend whose turn it is: take it, or compare it with others.
//
// Picking claims: the backend counts one attempt more until Pool.Release. One
// that has as many as it may is passed over, and its turn goes to the next in
// line. Passed over as well, but only while another can take the work, are
// suspects, to which a connection takes long just now. If those cannot either and
// there were attempts before, a spare gets it (spare.go): one of a later priority,
// for which a lower one that takes work is in the way, as far as the pool knows.
// Only then the backends of the attempts before get it once more.
//
// Await is Pick with patience (queue.go). Who finds all backends full, or none
// up, waits in line, oldest first, and nobody overtakes him. A claim that ends
// is handed to the first in line; nobody has to look for it. When backends come
// back to a pool where many wait, each is given a few at first and more as it
// answers, so that it is not knocked over at once.
//
// A backend that joins or comes up starts slowly (ramp.go): it begins with a
// tenth of its weight and has all of it after Options.SlowStart. The owner of the
// pool moves that on with Pool.Ramp; the pool has no goroutine and no clock of
// its own, but for the timers of those who wait.
package balancer
