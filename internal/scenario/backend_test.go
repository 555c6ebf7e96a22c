//go:build scenario

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// backendRole is the variable of the environment that makes this program a
// backend; it holds a role as JSON.
const backendRole = "SCENARIO_BACKEND"

// role is what a backend is to be.
type role struct {
	Name    string
	Address string
	Journal string
	Idle    time.Duration // when it closes a connection that nobody uses
	Latency time.Duration // how long it thinks
	Once    bool          // closes each connection behind its answer
}

// nameField is the field of an answer that names the backend.
const nameField = "X-Backend"

// actor plays a backend: it notes what it is given, then answers.
type actor struct {
	role
	journal *os.File
}

// playBackend serves until SIGTERM comes. Then, as uvicorn does, it closes its
// listener and the idle connections, and finishes what runs.
func playBackend(text string) int {
	var r role
	err := json.Unmarshal([]byte(text), &r)
	if err == nil {
		err = serveUntil(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		return 1
	}
	return 0
}

func serveUntil(r role) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server, err := r.server()
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", r.Address)
	if err != nil {
		return err
	}
	g := &gentle{Listener: l}
	note := server.ConnState
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		note(conn, state)
		g.changed(conn, state)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(g) }()
	select {
	case <-ctx.Done():
		g.end()
		return nil
	case err := <-ended:
		return err
	}
}

// server makes the backend of a role.
func (r role) server() (*http.Server, error) {
	file, err := os.OpenFile(r.Journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	a := &actor{role: r, journal: file}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthcheck", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /track", a.track)
	mux.HandleFunc("GET /get", a.get)
	s := &http.Server{Handler: mux, IdleTimeout: r.Idle, ConnState: a.connected}
	s.SetKeepAlivesEnabled(!r.Once)
	return s, nil
}

func (a *actor) connected(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		a.note(connected, "-")
	}
}

// track takes an event, which must be what its id says it is.
func (a *actor) track(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the gate went away in the middle: nothing was delivered
	}
	id := r.FormValue("id")
	size, _ := strconv.Atoi(r.FormValue("size")) // none is 0: the usual
	if string(body) != eventOf(id, size) {
		http.Error(w, "this is the body of another request", http.StatusConflict)
		return
	}
	a.note(posted, id)
	a.answer(w, r, answerOf(id, a.Name, size), 0)
}

func (a *actor) get(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	a.note(got, id)
	size, _ := strconv.Atoi(r.FormValue("size")) // none is 0: as short as can be
	lasts, _ := time.ParseDuration(r.FormValue("lasts"))
	a.answer(w, r, answerOf(id, a.Name, size), lasts)
}

func (a *actor) answer(w http.ResponseWriter, r *http.Request, text string, lasts time.Duration) {
	waits, _ := time.ParseDuration(r.FormValue("waits")) // none is 0: the usual
	if waits = max(waits, a.Latency); waits > 0 {
		<-time.After(waits)
	}
	w.Header().Set(nameField, a.Name)
	w.Header().Set("Content-Type", "application/json")
	if r.FormValue("chunked") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	}
	if lasts > 0 {
		io.Copy(flushing{w, http.NewResponseController(w)}, slowly(text, lasts))
		return
	}
	io.WriteString(w, text[:len(text)/2])
	if r.FormValue("chunked") != "" {
		http.NewResponseController(w).Flush()
	}
	io.WriteString(w, text[len(text)/2:])
}

// flushing sends each part of an answer on its way.
type flushing struct {
	io.Writer
	*http.ResponseController
}

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	return n, errors.Join(err, f.Flush())
}

// note writes one line to the journal. A backend that cannot is none.
func (a *actor) note(what, id string) {
	if _, err := fmt.Fprintf(a.journal, "%s %s %s\n", what, a.Name, id); err != nil && !errors.Is(err, os.ErrClosed) {
		panic(err)
	}
}
