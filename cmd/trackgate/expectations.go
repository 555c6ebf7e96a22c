package main

import (
	"fmt"

	"github.com/rs/zerolog"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy"
)

// loadSettings reads the settings in a file and holds what they expect of themselves against
// them; it also returns which content of the file they are. It is the one way in for all that
// serve, or say what would be served; verbs that only look for the admin socket do not mind.
func loadSettings(file string, environment []string) (*configs.Settings, print, error) {
	text, err := configs.Read(file)
	if err != nil {
		return nil, print{}, err
	}
	s, err := configs.Parse(file, text, environment)
	if err == nil {
		err = hold(s)
	}
	if err != nil {
		return nil, print{}, err
	}
	return s, printOf(text), nil
}

// hold walks every request of tests through a gate that is never opened. The error is
// a *brokenTests of those that do not come out as expected.
func hold(s *configs.Settings) error {
	if len(s.Tests) == 0 {
		return nil
	}
	gate, err := proxy.New(s, proxy.Parts{Metrics: metrics.New(build()), Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	var failed configs.Mistakes
	for _, t := range s.Tests {
		if key, came := judge(gate, t); key != "" {
			failed = append(failed, t.Failed(key, came))
		}
	}
	if failed == nil {
		return nil
	}
	return &brokenTests{failed, len(s.Tests)}
}

// brokenTests are the tests that do not hold.
type brokenTests struct {
	configs.Mistakes
	all int
}

// Error has a line for each, and then how many hold.
func (b *brokenTests) Error() string {
	return fmt.Sprintf("%s\n%d of %d tests hold", b.Mistakes, b.all-len(b.Mistakes), b.all)
}

// Unwrap returns the mistakes alone.
func (b *brokenTests) Unwrap() error { return b.Mistakes }

// judge returns the key of a test that does not hold, and what came instead; "" where it
// holds.
func judge(gate *proxy.Gate, t configs.Test) (key, came string) {
	v, err := gate.Explain(proxy.Question{
		Listener: t.Listener, SNI: t.SNI, From: t.From, ForwardedFor: t.ForwardedFor, Method: t.Method, URL: t.URL, Origin: t.Origin,
	})
	if err != nil {
		return "request", "a request that can be asked (" + err.Error() + ")"
	}
	got := v.Reason
	if v.Allowed {
		got = configs.Allowed
	}
	decided := decision(v, t.Expect)
	switch {
	case got != t.Expect:
		return "expect", fmt.Sprintf("%s, which is what comes of it (%s)", got, decided)
	case t.Pool != "" && t.Pool != v.Pool && v.Pool == "":
		return "pool", fmt.Sprintf("no pool, as the gate answers itself (%s)", decided)
	case t.Pool != "" && t.Pool != v.Pool:
		return "pool", fmt.Sprintf("%s, which is where it goes (listener %s)", v.Pool, v.Listener)
	}
	return "", ""
}

// decision is the step that made things other than expected: that of the refusal, or
// where the refusal that was expected would have come from.
func decision(v *proxy.Verdict, expect string) string {
	step := v.DecidedBy
	for _, s := range v.Steps {
		if v.Allowed && s.Step == stageOf(expect) {
			step = s
		}
	}
	return step.Step + ": " + step.Result
}

// stageOf is the step of a request's life in which it is refused for a reason.
func stageOf(expect string) string {
	switch expect {
	case "client_not_allowed", "wrong_host":
		return "admit"
	case "malformed", "head_too_large", "target_too_long":
		return "read"
	}
	return "match"
}
