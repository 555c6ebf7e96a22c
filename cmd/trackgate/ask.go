package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/trackgate/trackgate/configs"
)

const (
	askTime   = 300 * time.Millisecond // how long a running gate may take to show something
	actTime   = 2 * time.Minute        // and to do something
	maxAnswer = 8 << 20                // bytes that are read of it
)

// asker asks a gate that runs.
type asker struct {
	where string // for people: the key of the settings and its value
	base  string // URL
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

// atAddress asks at an admin address, which is for reading.
func atAddress(address string) asker {
	where := "admin.address " + address
	if host, port, err := net.SplitHostPort(address); err == nil && host == "" {
		address = net.JoinHostPort("127.0.0.1", port) // all interfaces
	}
	return asker{where: where, base: "http://" + address, dial: new(net.Dialer).DialContext}
}

// atSocket asks at an admin socket.
func atSocket(path string) asker {
	return asker{where: "admin.socket " + path, base: "http://localhost", dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
}

// get reads what the gate has at a page into answer, from whichever of its sides answers.
func get(ctx context.Context, sides configs.Admin, page string, answer any) error {
	var all []asker
	if sides.Socket != "" {
		all = append(all, atSocket(sides.Socket))
	}
	if sides.Address != "" {
		all = append(all, atAddress(sides.Address))
	}
	if len(all) == 0 {
		return errors.New("admin.socket and admin.address are empty: the gate cannot be asked")
	}
	var errs []error
	for _, a := range all {
		err := a.ask(ctx, http.MethodGet, page, nil, answer)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return failure(errors.Join(errs...))
}

// tell has the gate do something and reads into answer what came of it. What the gate
// refuses is a mistake, anything else a failure.
func tell(ctx context.Context, sides configs.Admin, page string, wish, answer any) error {
	if sides.Socket == "" {
		return fmt.Errorf("admin.socket is empty: the gate cannot be asked to %s", strings.TrimPrefix(page, "/"))
	}
	body, err := json.Marshal(wish)
	if err != nil {
		return err
	}
	return asFailure(atSocket(sides.Socket).ask(ctx, http.MethodPost, page, body, answer))
}

func (a asker) ask(ctx context.Context, method, page string, body []byte, answer any) error {
	if ctx == nil {
		ctx = context.Background()
	}
	patience := askTime
	if method == http.MethodPost {
		patience = actTime
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, a.base+page, bytes.NewReader(body))
	if err != nil {
		return err
	}
	got, err := (&http.Transport{DisableKeepAlives: true, DialContext: a.dial}).RoundTrip(request)
	if err != nil {
		return fmt.Errorf("no gate answers on %s: %w", a.where, err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	if err != nil {
		return err
	}
	if got.StatusCode == http.StatusConflict {
		return saidNo(text)
	}
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("the gate on %s: %s for %s", a.where, got.Status, page)
	}
	return json.Unmarshal(text, answer)
}

// notDone is why a gate has not done what it was asked for, in its words.
type notDone string

// Error is what it said.
func (n notDone) Error() string { return string(n) }

func saidNo(text []byte) error {
	var said struct {
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return fmt.Errorf("the gate has not done it: %s", text)
	}
	return notDone(said.Detail)
}

// asFailure gives what went wrong its exit code.
func asFailure(err error) error {
	var no notDone
	if err == nil || errors.As(err, &no) {
		return err
	}
	return failure(err)
}
