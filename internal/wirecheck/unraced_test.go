//go:build !race

package wirecheck

// raced says that the gate has the race detector, which needs memory of its own.
const raced = false
