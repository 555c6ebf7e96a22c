package health

import "time"

// Status is what is known of a backend.
type Status uint8

// What can be known of a backend.
const (
	Unknown Status = iota // not enough probes yet; it is given traffic
	Up
	Down
)

// String returns the word, e.g. "up".
func (s Status) String() string {
	switch s {
	case Up:
		return "up"
	case Down:
		return "down"
	}
	return "unknown"
}

// State is what is known of a backend, why, and since when.
type State struct {
	Status Status
	Cause  Cause     // of Down
	Why    string    // in words, e.g. "3 checks failed: connect: connection refused"
	Since  time.Time // of Status
}

// up says whether the backend is to be given traffic.
func (s *State) up() bool { return s.Status != Down }
