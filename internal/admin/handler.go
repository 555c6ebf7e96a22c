package admin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/pprof"
	"strings"
)

// Options say what is answered.
type Options struct {
	Address string       // as configured; if its host is a name, it may stand in Host
	Ready   func() error // nil, or why the gate should not get traffic
	Metrics http.Handler
	// Missing returns what the gate has not got yet and serves without, such as hosts that
	// wait for a certificate. It is no reason to be out of service: an authority has to be
	// able to come in. nil is all the same.
	Missing func() []string
	// Pages return what is known of something, for JSON, by their paths.
	Pages map[string]func() any
}

// Action is something that an operator asks for. body is JSON, or empty; what is returned
// is answered as JSON.
type Action func(ctx context.Context, body []byte) (any, error)

// answer is the body of everything but a scrape.
type answer struct {
	Status string `json:"status,omitempty"`
	Detail string `json:"detail,omitempty"`
	Reason string `json:"reason,omitempty"`

	Missing []string `json:"missing_certificates,omitempty"`
}

type handler struct {
	hosts   hosts // nil lets all in
	paths   map[string]http.Handler
	actions map[string]Action
}

// NewHandler returns the handler of the admin address.
func NewHandler(o Options) http.Handler {
	h := &handler{
		hosts: hostsOf(o.Address),
		paths: map[string]http.Handler{
			"/":        statusPage(),
			"/livez":   http.HandlerFunc(live),
			"/readyz":  readiness(o),
			"/metrics": o.Metrics,
		},
	}
	for path, of := range o.Pages {
		h.paths[path] = list(of)
	}
	return h
}

// NewSocketHandler returns the handler of the admin socket: that of the address, actions
// by their paths, and what Go's profiler asks for. Whoever can open the socket may do all
// of it.
func NewSocketHandler(o Options, actions map[string]Action) http.Handler {
	h := NewHandler(o).(*handler)
	h.hosts, h.actions = nil, actions
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/", h)
	return mux
}

// list answers with what of returns.
func list(of func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, of()) }
}

// ServeHTTP matches the target as it was sent: a path that must be decoded or
// cleaned first is another path.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	page, known := h.paths[path]
	if action := h.actions[path]; action != nil && r.Method == http.MethodPost {
		act(w, r, action)
		return
	}
	switch {
	case h.hosts != nil && !h.hosts.allow(r.Host):
		say(w, http.StatusMisdirectedRequest, answer{Detail: "this host is not served here; use an IP address or localhost", Reason: "wrong_host"})
	case !known:
		say(w, http.StatusNotFound, answer{Detail: "not found", Reason: "not_exposed"})
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		say(w, http.StatusMethodNotAllowed, answer{Detail: "this method is not allowed here", Reason: "method_not_exposed"})
	default:
		page.ServeHTTP(w, r)
	}
}

// maxBody is how long what is asked for may be.
const maxBody = 64 << 10

// act does what is asked for. An error is answered in the words for an operator.
func act(w http.ResponseWriter, r *http.Request, action Action) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		say(w, http.StatusBadRequest, answer{Detail: err.Error(), Reason: "malformed"})
		return
	}
	did, err := action(r.Context(), body)
	if err != nil {
		say(w, http.StatusConflict, answer{Detail: err.Error(), Reason: "not_done"})
		return
	}
	say(w, http.StatusOK, did)
}

func live(w http.ResponseWriter, _ *http.Request) {
	say(w, http.StatusOK, answer{Status: "live"})
}

func readiness(o Options) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := o.Ready(); err != nil {
			say(w, http.StatusServiceUnavailable, answer{Status: "not_ready", Detail: err.Error()})
			return
		}
		a := answer{Status: "ready"}
		if o.Missing != nil {
			a.Missing = o.Missing()
		}
		say(w, http.StatusOK, a)
	}
}

func say(w http.ResponseWriter, status int, a any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	guard(w.Header())
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(a) // the client is gone; nobody is left to tell
}
