//go:build !race

package program

// raced says that the test has the race detector, so the gate gets it as well.
const raced = false
