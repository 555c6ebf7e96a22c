package proxy

import (
	"errors"
	"fmt"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Step is one step of the decision, in the order of a request's life.
type Step struct {
	Step   string `json:"step"`
	Result string `json:"result"`
}

// Verdict is the whole decision.
type Verdict struct {
	Allowed   bool   `json:"allowed"`
	Status    int    `json:"status,omitempty"` // of a refusal
	Reason    string `json:"reason"`
	DecidedBy Step   `json:"decided_by"` // the step that a refusal came from, or the last that let the request pass
	Listener  string `json:"listener,omitempty"`
	Client    string `json:"client,omitempty"` // behind trusted proxies
	Route     string `json:"route,omitempty"`  // the entry of allow
	Pool      string `json:"pool,omitempty"`
	Backend   string `json:"backend,omitempty"` // whose turn it is; only of a gate that runs
	Steps     []Step `json:"steps"`
}

// verdict completes the Verdict with the error that ended the walk. One without a
// reason is the question's fault.
func (e *explainer) verdict(err error) (*Verdict, error) {
	v := &e.found
	v.Allowed, v.Reason = err == nil, reason.OK.String()
	if e.listener != nil {
		v.Listener = e.listener.name
	}
	var refusal *wire.Error
	switch {
	case errors.As(err, &refusal):
		v.Status, v.Reason = refusal.Reason.Status(), refusal.Reason.String()
		v.DecidedBy = Step{e.stage, refusal.What}
		e.note("refuse", "%d %s: %s", v.Status, v.Reason, refusal.What)
		e.refuse(refusal.Reason)
	case err != nil:
		return nil, err
	}
	return v, nil
}

// refuse tells how the client hears of it.
func (e *explainer) refuse(r reason.Reason) {
	switch {
	case e.listener == nil:
	case r == reason.ClientNotAllowed && e.listener.drop:
		e.note("respond", "nothing is said: deny is %s", configs.DenyDrop)
	default:
		e.respond(func(x *exchange) { x.ownFields(r) })
	}
}

// decide notes what let the request pass.
func (e *explainer) decide(format string, args ...any) {
	e.found.DecidedBy = Step{e.stage, fmt.Sprintf(format, args...)}
	e.note(e.stage, format, args...)
}

func (e *explainer) note(step, format string, args ...any) {
	e.found.Steps = append(e.found.Steps, Step{step, fmt.Sprintf(format, args...)})
}
