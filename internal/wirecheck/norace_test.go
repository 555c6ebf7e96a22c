//go:build !race

package wirecheck

// raced says that the gate is to be built with the race detector as well.
const raced = false
