package standin

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// payload is what is looked at of an event payload.
type payload struct {
	Request json.RawMessage `json:"request"`
	Source  json.RawMessage `json:"source"`
	Session json.RawMessage `json:"session"`
	Profile json.RawMessage `json:"profile"`
	Events  json.RawMessage `json:"events"`
}

// tracked is the answer to one that was accepted.
type tracked struct {
	Task     string          `json:"task"`
	UX       []string        `json:"ux"`
	Response struct{}        `json:"response"`
	Events   []string        `json:"events"`
	Profile  json.RawMessage `json:"profile"`
	Session  json.RawMessage `json:"session"`
	Errors   []string        `json:"errors"`
	Warnings []string        `json:"warnings"`
}

func (s *Server) track(r *http.Request, body []byte) answer {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "" && kind != "application/json" {
		return detail(http.StatusUnprocessableEntity, []any{map[string]string{"msg": "value is not a valid dict"}})
	}
	if !json.Valid(body) {
		return detail(http.StatusBadRequest, "There was an error parsing the body")
	}
	var p payload
	if err := json.Unmarshal(body, &p); err != nil || p.Source == nil {
		return detail(http.StatusUnprocessableEntity, []any{map[string]any{"msg": "field required", "loc": []string{"body", "source"}}})
	}
	if string(p.Request) == "null" {
		return detail(http.StatusInternalServerError, "'NoneType' object has no attribute 'headers'")
	}
	ids, ok := eventIDs(p.Events)
	if !ok {
		return detail(http.StatusInternalServerError, "'events' cannot be walked through")
	}
	s.memory.accept(ids)
	return answer{http.StatusOK, accepted(p, ids)}
}

// accepted echoes profile and session; a client without a profile is given one.
func accepted(p payload, events []string) tracked {
	none := []string{}
	profile := p.Profile
	if falsy(profile) {
		profile = json.RawMessage(`{"id":"` + newID() + `"}`)
	}
	return tracked{
		Task: newID(), UX: none, Events: events, Profile: profile, Session: p.Session,
		Errors: none, Warnings: none,
	}
}

// eventIDs returns the events' own ids, and invents those that are missing.
func eventIDs(list json.RawMessage) (ids []string, ok bool) {
	ids = []string{}
	if list == nil {
		return ids, true
	}
	var events []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(list, &events); err != nil || events == nil {
		return nil, false
	}
	for _, e := range events {
		if e.ID == "" {
			e.ID = newID()
		}
		ids = append(ids, e.ID)
	}
	return ids, true
}

// falsy is what Python takes for nothing.
func falsy(value json.RawMessage) bool {
	return value == nil || slices.Contains([]string{"null", "{}", "[]", `""`, "0", "false"}, string(value))
}

// newID returns a random UUID, version 4 of RFC 9562.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
