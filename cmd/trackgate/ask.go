package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	askTime   = 300 * time.Millisecond // how long a running gate may take to answer
	maxAnswer = 8 << 20                // bytes that are read of it
)

// ask gets a page from the gate that runs on an admin address, and reads its JSON into
// answer.
func ask(ctx context.Context, address, page string, answer any) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if host, port, err := net.SplitHostPort(address); err == nil && host == "" {
		address = net.JoinHostPort("127.0.0.1", port) // all interfaces
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+page, nil)
	if err != nil {
		return err
	}
	got, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return fmt.Errorf("no gate answers on admin.address %s: %w", address, err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("the gate on admin.address %s: %s for %s", address, got.Status, page)
	}
	return json.NewDecoder(io.LimitReader(got.Body, maxAnswer)).Decode(answer)
}
