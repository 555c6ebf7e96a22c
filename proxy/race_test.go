//go:build race

package proxy_test

// raceDetector says that the race detector allocates beside us.
const raceDetector = true
