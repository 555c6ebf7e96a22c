//go:build !race

package h1

// racing says that the race detector watches, under which pools forget.
const racing = false
