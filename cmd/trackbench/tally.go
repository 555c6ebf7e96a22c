package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
)

// tally is what h2load says about a run, as far as it is of interest here.
type tally struct {
	tls      string // version
	cipher   string
	protocol string // agreed on by ALPN
	requests requestTally
	statuses statusTally
	body     int // bytes of all answers, without fields and frames
}

// requestTally counts what became of the requests; the last two are failed ones too.
type requestTally struct{ total, started, done, succeeded, failed, errored, late int }

// statusTally counts answers by the first digit of their status, 2 to 5.
type statusTally struct{ ok, moved, refused, broken int }

// The lines of h2load that are read. Each must be there exactly once.
var (
	tlsLine      = regexp.MustCompile(`(?m)^TLS Protocol: (\S+)$`)
	cipherLine   = regexp.MustCompile(`(?m)^Cipher: (\S+)$`)
	protocolLine = regexp.MustCompile(`(?m)^Application protocol: (\S+)$`)
	requestsLine = regexp.MustCompile(`(?m)^requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout$`)
	statusesLine = regexp.MustCompile(`(?m)^status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$`)
	trafficLine  = regexp.MustCompile(`(?m)^traffic: \S+ \(\d+\) total, \S+ \(\d+\) headers \(space savings -?\d+\.\d+%\), \S+ \((\d+)\) data$`)
)

// parseTally reads what h2load printed. A run without a single connection says nothing
// about TLS: that is a mistake here.
func parseTally(text string) (tally, error) {
	var t tally
	r, s := &t.requests, &t.statuses
	err := errors.Join(
		readWord(text, tlsLine, &t.tls),
		readWord(text, cipherLine, &t.cipher),
		readWord(text, protocolLine, &t.protocol),
		readNumbers(text, requestsLine, &r.total, &r.started, &r.done, &r.succeeded, &r.failed, &r.errored, &r.late),
		readNumbers(text, statusesLine, &s.ok, &s.moved, &s.refused, &s.broken),
		readNumbers(text, trafficLine, &t.body),
	)
	if err != nil {
		return tally{}, err
	}
	return t, nil
}

func readWord(text string, line *regexp.Regexp, word *string) error {
	groups, err := onlyMatch(text, line)
	if err == nil {
		*word = groups[0]
	}
	return err
}

// readNumbers has a place for every group of the line.
func readNumbers(text string, line *regexp.Regexp, places ...*int) error {
	groups, err := onlyMatch(text, line)
	if err != nil {
		return err
	}
	for i, place := range places {
		if *place, err = strconv.Atoi(groups[i]); err != nil {
			return fmt.Errorf("tally: %w", err)
		}
	}
	return nil
}

// onlyMatch returns the groups of the one line that fits.
func onlyMatch(text string, line *regexp.Regexp) ([]string, error) {
	all := line.FindAllStringSubmatch(text, 2)
	if len(all) != 1 {
		return nil, fmt.Errorf("tally: %d lines instead of one fit %s", len(all), line)
	}
	return all[0][1:], nil
}

// judge fails unless every one of the requests was answered as it must be, over the
// protocols of the comparison.
func (t tally) judge(requests int) error {
	r := requestTally{total: requests, started: requests, done: requests, succeeded: requests}
	switch {
	case t.requests != r:
		return fmt.Errorf("of %d requests: %+v, with answers %+v", requests, t.requests, t.statuses)
	case t.statuses != statusTally{ok: requests}:
		return fmt.Errorf("answers to %d requests: %+v", requests, t.statuses)
	case t.body != requests*answerBytes:
		return fmt.Errorf("answers to %d requests: %d bytes, wanted %d", requests, t.body, requests*answerBytes)
	case t.protocol != "h2" || t.tls != "TLSv1.3" || t.cipher != "TLS_AES_128_GCM_SHA256":
		return fmt.Errorf("spoke %s over %s with %s", t.protocol, t.tls, t.cipher)
	}
	return nil
}
