// Package reason is the closed list of why an exchange ended as it did. The
// same word stands in the answer, the access log, the metrics and explain.
package reason

import "strconv"

// Reason is one entry of the list. The zero value is OK.
type Reason uint8

// The reasons.
const (
	OK Reason = iota
	Malformed
	ClientNotAllowed
	OriginNotAllowed
	NotExposed
	MethodNotExposed
	ClientTooSlow
	BodyTooLarge
	TargetTooLong
	HeadTooLarge
	WrongHost
	RateLimited
	BackendError
	ConnectFailed
	BackendClosed
	BackendMalformed
	NoBackend
	QueueFull
	Draining
	BackendTimeout
	ClientClosed
	ExpectationFailed
	VersionNotSupported
	Count // how many there are; not a reason itself
)

// about holds what each reason means for the client.
var about = [Count]struct {
	word   string
	status int
	detail string
}{
	OK:                  {"ok", 200, ""},
	Malformed:           {"malformed", 400, "the request could not be read with certainty"},
	ClientNotAllowed:    {"client_not_allowed", 403, "this client address may not come here"},
	OriginNotAllowed:    {"origin_not_allowed", 403, "this origin may not come here"},
	NotExposed:          {"not_exposed", 404, "not found"},
	MethodNotExposed:    {"method_not_exposed", 405, "this method is not allowed here"},
	ClientTooSlow:       {"client_too_slow", 408, "the request did not arrive in time"},
	BodyTooLarge:        {"body_too_large", 413, "the body is larger than allowed"},
	TargetTooLong:       {"target_too_long", 414, "the request target is longer than allowed"},
	HeadTooLarge:        {"head_too_large", 431, "the header fields are larger than allowed"},
	WrongHost:           {"wrong_host", 421, "this host is not served on this connection"},
	RateLimited:         {"rate_limited", 429, "too many requests"},
	BackendError:        {"backend_error", 500, "internal error"},
	ConnectFailed:       {"connect_failed", 502, "no backend could be reached"},
	BackendClosed:       {"backend_closed", 502, "the backend closed the connection before it answered"},
	BackendMalformed:    {"backend_malformed", 502, "the backend's answer could not be read with certainty"},
	NoBackend:           {"no_backend", 503, "no backend is available"},
	QueueFull:           {"queue_full", 503, "all backends are busy"},
	Draining:            {"draining", 503, "the gate is shutting down"},
	BackendTimeout:      {"backend_timeout", 504, "the backend did not answer in time"},
	ClientClosed:        {"client_closed", 499, "the client went away"},
	ExpectationFailed:   {"expectation_failed", 417, "this expectation cannot be met"},
	VersionNotSupported: {"version_not_supported", 505, "this protocol version is not supported"},
}

// String returns the word, e.g. "not_exposed".
func (r Reason) String() string {
	if r >= Count {
		return "reason(" + strconv.Itoa(int(r)) + ")"
	}
	return about[r].word
}

// Status returns the HTTP status that the edge answers for r. ClientClosed has
// 499, which is only ever logged.
func (r Reason) Status() int { return about[r].status }

// Detail returns one sentence for the client.
func (r Reason) Detail() string { return about[r].detail }
