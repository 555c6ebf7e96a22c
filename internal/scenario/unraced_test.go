//go:build scenario && !race

package scenario

// raced says that the race detector slows everything down.
const raced = false
