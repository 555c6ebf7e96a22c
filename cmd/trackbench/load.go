package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strings"
	"time"
)

// order is what one run of the load verb has to do.
type order struct {
	scenario    string
	gate        gate
	connections int
	streams     int // at the same time on each connection; 0 for HTTP/1.1
	requests    int // of the part that is measured
}

// report is one line of the load verb: Ready alone when it is prepared, the rest
// at the end.
type report struct {
	Ready    bool    `json:"ready,omitempty"`
	Requests int     `json:"requests,omitempty"`
	Seconds  float64 `json:"seconds,omitempty"`
}

// loadVerb prepares, reports ready, waits for a line, works and reports. Its
// error is that of the first request that went wrong.
func loadVerb(ctx context.Context, args []string, std streams) error {
	o, err := parseOrder(args, std)
	if err != nil {
		return err
	}
	play, ok := plays()[o.scenario]
	if !ok {
		return useError(fmt.Sprintf("unknown scenario %q", o.scenario))
	}
	p, err := play(ctx, o)
	if err != nil {
		return fmt.Errorf("%s: prepare: %w", o.scenario, err)
	}
	defer p.end()
	return perform(ctx, p, std)
}

// perform does the measured part between two lines of the conversation.
func perform(ctx context.Context, p play, std streams) error {
	lines := json.NewEncoder(std.out)
	if err := lines.Encode(report{Ready: true}); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if _, err := bufio.NewReader(std.in).ReadString('\n'); err != nil {
		return fmt.Errorf("load: nobody said go: %w", err)
	}
	start := time.Now()
	done, err := p.work(ctx)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return lines.Encode(report{Requests: done, Seconds: time.Since(start).Seconds()})
}

func parseOrder(args []string, std streams) (order, error) {
	var o order
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.scenario, "scenario", scenarioKeepAlive, "what to play: "+strings.Join(names(scenarios(false)), ", "))
	flags.StringVar(&o.gate.address, "address", "", "`host:port` of the proxy")
	flags.IntVar(&o.connections, "connections", 64, "connections at the same time")
	flags.IntVar(&o.streams, "streams", 0, "requests at the same time on each connection, for HTTP/2")
	flags.IntVar(&o.requests, "requests", 10_000, "requests of the measured part")
	path := flags.String("certificate", "", "PEM `file` of the only certificate to accept")
	if err := parseFlags(flags, args, std.err); err != nil {
		return order{}, err
	}
	if o.connections < 1 || o.streams < 0 || o.requests < 0 {
		return order{}, useError("connections must be 1 or more, streams and requests 0 or more")
	}
	var err error
	o.gate.leaf, err = readLeaf(*path)
	return o, err
}

// args is the inverse of parseOrder.
func (o order) args(certificate string) []string {
	return []string{"load", "-scenario", o.scenario, "-address", o.gate.address, "-certificate", certificate,
		"-connections", fmt.Sprint(o.connections), "-streams", fmt.Sprint(o.streams), "-requests", fmt.Sprint(o.requests)}
}
