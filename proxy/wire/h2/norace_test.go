//go:build !race

package h2

// racing says that the race detector watches, under which pools forget.
const racing = false
