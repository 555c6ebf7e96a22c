package standin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// route decides on the decoded path, as Starlette does: POST /tra%63k is
// POST /track.
func (s *Server) route(r *http.Request, body []byte) answer {
	if auth := r.Header.Get("Authorization"); auth != "" && len(strings.Fields(auth)) != 2 {
		return detail(http.StatusInternalServerError, "not enough values to unpack")
	}
	switch path := r.URL.Path; {
	case path == "/track" && r.Method == http.MethodPost:
		return s.track(r, body)
	case path == "/track" && r.Method == http.MethodPut:
		return answer{http.StatusOK, nil}
	case path == "/healthcheck" && routed(r.Method) && r.Method != http.MethodPatch:
		return healthcheck(r, body)
	case path == "/seen" && r.Method == http.MethodGet:
		return answer{http.StatusOK, map[string]any{"id": s.id, "events": s.Seen()}}
	case routed(r.Method):
		return answer{http.StatusOK, map[string]any{"reached": path, "backend": s.id}}
	default:
		return detail(http.StatusMethodNotAllowed, "Method Not Allowed")
	}
}

// routed reports whether any route takes the method; HEAD is none of them.
func routed(method string) bool {
	return slices.Contains([]string{"GET", "POST", "PUT", "DELETE", "PATCH"}, method)
}

// healthcheck gives back what it was sent, request fields included.
func healthcheck(r *http.Request, body []byte) answer {
	if !json.Valid(body) {
		return answer{http.StatusOK, string(body)}
	}
	fields := make(map[string]string, len(r.Header)+1)
	for name, values := range r.Header {
		fields[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	fields["host"] = r.Host
	return answer{http.StatusOK, map[string]any{"headers": fields, "json": json.RawMessage(body)}}
}
