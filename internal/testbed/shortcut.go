package testbed

import (
	"strings"
	"testing"
)

// Post sends a body of JSON on a connection of its own.
func (g *Gate) Post(t testing.TB, target, body string, fields ...string) *Result {
	t.Helper()
	c := g.Dial(t, Way{})
	defer c.Close()
	return c.Post(t, target, body, fields...)
}

// Ask sends a request without a body on a connection of its own.
func (g *Gate) Ask(t testing.TB, line string, fields ...string) *Result {
	t.Helper()
	return g.AskBy(t, Way{}, line, fields...)
}

// AskBy is Ask on another way.
func (g *Gate) AskBy(t testing.TB, way Way, line string, fields ...string) *Result {
	t.Helper()
	c := g.Dial(t, way)
	defer c.Close()
	return c.Ask(t, line, fields...)
}

// Raw sends these bytes on a connection of its own and reads one answer.
func (g *Gate) Raw(t testing.TB, raw string) *Result {
	t.Helper()
	c := g.Dial(t, Way{})
	defer c.Close()
	c.Send(t, raw)
	method, _, _ := strings.Cut(raw, " ")
	return c.Answer(t, method)
}
