package testbed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Journal keeps what is logged, line by line.
type Journal struct {
	trap  string // the word to panic over; "" for none
	lines *queue[string]
	mu    sync.Mutex
	part  bytes.Buffer
}

func newJournal() *Journal { return &Journal{lines: newQueue[string]()} }

// Write takes a part of the log.
func (j *Journal) Write(p []byte) (int, error) {
	if j.trap != "" && bytes.Contains(p, []byte(j.trap)) {
		panic("trapped")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.part.Write(p)
	for {
		line, err := j.part.ReadString('\n')
		if err != nil {
			j.part.WriteString(line)
			return len(p), nil
		}
		j.lines.put(line)
	}
}

// Journal waits for a line of the gate's log, other than the access log, that
// contains text, and returns it. What stood before it is not looked at again.
func (g *Gate) Journal(t testing.TB, text string) string {
	t.Helper()
	for {
		line, ok := g.journal.lines.next(Patience)
		require.True(t, ok, "the log never said %q", text)
		if strings.Contains(line, text) {
			return line
		}
	}
}

// Line is one line of the access log.
type Line struct {
	t      testing.TB
	Fields map[string]any
}

// NextLogLine waits for the next line of the access log.
func (g *Gate) NextLogLine(t testing.TB) Line {
	t.Helper()
	text, ok := g.lines.lines.next(Patience)
	require.True(t, ok, "no line came to the access log")
	line := parseLine(t, text)
	if g.protocol != "" {
		line.Has("protocol", g.protocol)
	}
	return line
}

// LastLogLine waits for the line of the one exchange since a line was last asked
// for. More of them are a mistake of the test.
func (g *Gate) LastLogLine(t testing.TB) Line {
	t.Helper()
	line := g.NextLogLine(t)
	require.Empty(t, g.lines.lines.rest(), "more than one line")
	return line
}

// NoLogLine ends the gate and demands that no line is left in the access log.
func (g *Gate) NoLogLine(t testing.TB) {
	t.Helper()
	g.Drain()
	g.Ended(t)
	assert.Empty(t, g.lines.lines.rest())
}

func parseLine(t testing.TB, text string) Line {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	l := Line{t: t}
	require.NoError(t, d.Decode(&l.Fields), text)
	return l
}

// Has demands that a field of the line has this value, compared as text.
func (l Line) Has(name string, value any) Line {
	l.t.Helper()
	assert.Equal(l.t, fmt.Sprint(value), fmt.Sprint(l.Fields[name]), "%s in %v", name, l.Fields)
	return l
}

// Lacks demands that the line has no such field.
func (l Line) Lacks(name string) Line {
	l.t.Helper()
	assert.NotContains(l.t, l.Fields, name)
	return l
}
