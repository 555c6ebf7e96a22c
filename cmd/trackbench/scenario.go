package main

import "time"

// What a scenario measures.
const (
	unitProcessor = "cpu_microseconds_per_request"
	unitMemory    = "rss_bytes_per_connection"
)

// scenario is how one kind of load is played by everybody.
type scenario struct {
	name        string
	unit        string
	rounds      int
	connections int
	requests    int           // of one proxy in one round
	settle      time.Duration // before memory is read
	aim         float64       // for trackgate: a ratio to the better peer, or bytes
}

// scenarios returns all of them, with rounds and requests for about five minutes
// or, if quick, for one.
func scenarios(quick bool) []scenario {
	all := []scenario{
		{name: scenarioKeepAlive, unit: unitProcessor, rounds: 7, connections: 64, requests: 40_000, aim: 1.0},
		{name: scenarioVisit, unit: unitProcessor, rounds: 7, connections: 16, requests: 3_000, aim: 0.85},
		{name: scenarioResumed, unit: unitProcessor, rounds: 7, connections: 16, requests: 4_000, aim: 1.05},
		{name: scenarioIdle, unit: unitMemory, rounds: 2, connections: 5_000, settle: 5 * time.Second, aim: 12_000},
	}
	if quick {
		for i := range all {
			all[i].rounds = (all[i].rounds + 1) / 2
			all[i].requests /= 3
		}
	}
	return all
}
