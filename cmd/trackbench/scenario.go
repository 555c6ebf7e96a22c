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
	streams     int           // at the same time on each connection; 0: HTTP/1.1
	requests    int           // of one proxy in one round
	warm        string        // what is played before memory is read
	settle      time.Duration // before memory is read
	aim         float64       // for trackgate: a ratio to the better peer, or bytes
}

// scenarios returns all of them, with rounds and requests for about ten minutes
// or, if quick, for three.
func scenarios(quick bool) []scenario {
	all := []scenario{
		{name: scenarioKeepAlive, unit: unitProcessor, rounds: 7, connections: 64, requests: 40_000, aim: 1.0},
		{name: scenarioVisit, unit: unitProcessor, rounds: 7, connections: 16, requests: 3_000, aim: 0.85},
		{name: scenarioResumed, unit: unitProcessor, rounds: 7, connections: 16, requests: 4_000, aim: 1.05},
		{name: scenarioIdle, unit: unitMemory, rounds: 2, connections: 5_000, settle: 5 * time.Second, warm: scenarioKeepAlive, aim: 12_000},
		{name: scenarioH2Shared, unit: unitProcessor, rounds: 7, connections: 32, streams: 8, requests: 60_000, aim: 0.95},
		{name: scenarioH2Single, unit: unitProcessor, rounds: 7, connections: 64, streams: 1, requests: 60_000, aim: 0.90},
		{name: scenarioH2Paired, unit: unitProcessor, rounds: 7, connections: 128, streams: 2, requests: 60_000, aim: 0.90},
		{name: scenarioH2Idle, unit: unitMemory, rounds: 2, connections: 5_000, streams: 1, settle: 5 * time.Second, warm: scenarioH2Single, aim: 14_000},
	}
	if quick {
		for i := range all {
			all[i].rounds = (all[i].rounds + 1) / 2
			all[i].requests /= 3
		}
	}
	return all
}

// warmUp is what a proxy does before its memory is read, so that it has what it keeps
// for traffic and not for connections.
func (s scenario) warmUp() scenario {
	return scenario{name: s.warm, connections: min(32, s.connections), streams: s.streams, requests: s.connections}
}

// overHTTP2 reports whether h2load has a part in it.
func (s scenario) overHTTP2() bool { return s.streams > 0 }

// names returns what the scenarios are called, in their order.
func names(all []scenario) []string {
	var list []string
	for _, s := range all {
		list = append(list, s.name)
	}
	return list
}
