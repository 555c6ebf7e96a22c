// Package metrics counts what the gate does, for Prometheus.
//
// A Set is one registry with every family the gate shows. Whoever compiles a
// snapshot asks it for a Listener, a Pool and a Backend by name, once; the
// request path holds these and never looks anything up by label. Asking again
// for the same name returns the same one, so counters outlive snapshots.
//
// A family has as many series as there were kinds of things that happened: a
// Listener holds an array of pointers, one for each status class and reason,
// and a counter is made when its combination occurs for the first time. From
// then on an observation is a load, an addition and, for durations, one
// histogram: no lock, no allocation, 75 ns for all the observations of one
// exchange together (go test -bench Exchange).
//
// For people who look, a History reads the counters once a second and keeps five minutes
// of it: 22 µs a second, some 100 kB (go test -bench Sample).
//
// Labels are names from the settings, addresses of backends, and words from
// closed lists: never anything that a client can choose.
package metrics
