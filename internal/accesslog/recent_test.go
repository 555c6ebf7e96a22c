package accesslog

import (
	"encoding/json"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// paths returns which exchanges are remembered.
func paths(t *testing.T, lines []json.RawMessage) []string {
	t.Helper()
	found := []string{}
	for _, line := range lines {
		var e struct{ Path string }
		require.NoError(t, json.Unmarshal(line, &e), "%s", line)
		found = append(found, e.Path)
	}
	return found
}

func TestWhatDidNotGoWellIsRemembered(t *testing.T) {
	l := New(Options{Output: io.Discard, Sample: 0})
	for path, e := range map[string]Entry{
		"/well":           {Status: 200},
		"/not-found":      {Status: 404},
		"/websocket":      {Status: 101, Duration: time.Hour},
		"/left":           {Status: 200, Reason: reason.ClientClosed},
		"/refused":        {Status: 404, Reason: reason.NotExposed},
		"/refused-slowly": {Status: 408, Reason: reason.ClientTooSlow, Duration: time.Minute},
		"/failed":         {Status: 502, Reason: reason.ConnectFailed},
		"/broken-off":     {Status: 200, Reason: reason.BackendClosed},
		"/error":          {Status: 500},
		"/slow":           {Status: 200, Duration: slow},
		"/left-late":      {Status: 200, Reason: reason.ClientClosed, Duration: slow},
		"/not-slow":       {Status: 200, Duration: slow - 1},
	} {
		e.Path = []byte(path)
		l.Write(&e)
	}
	got := l.Recent()
	assert.ElementsMatch(t, []string{"/refused", "/refused-slowly"}, paths(t, got.Refused))
	assert.ElementsMatch(t, []string{"/failed", "/broken-off", "/error", "/slow", "/left-late"}, paths(t, got.Troubled))
}

func TestTheOldestAreForgotten(t *testing.T) {
	l := New(Options{Output: io.Discard})
	empty, err := json.Marshal(l.Recent())
	require.NoError(t, err)
	assert.Equal(t, `{"refused":[],"troubled":[],"slowest":[]}`, string(empty))

	want := []string{}
	for n := range 3*remembered + 7 {
		path := fmt.Sprintf("/%d?secret", n)
		l.Write(&Entry{Path: []byte(path), Reason: reason.NotExposed})
		want = append([]string{fmt.Sprintf("/%d", n)}, want...)
	}
	assert.Equal(t, want[:remembered], paths(t, l.Recent().Refused))
}

// What is slow and was not chosen is remembered, and is in no log.
func TestMemoryDoesNotChangeTheSample(t *testing.T) {
	l := New(Options{Output: io.Discard, Sample: 0})
	l.Write(&Entry{Status: 200, Duration: time.Minute})
	assert.Empty(t, l.filling)
	assert.Len(t, l.Recent().Troubled, 1)
}

// A line that a client made as long and as odd as it can is a line of JSON, and does not
// spoil another one.
func TestAHostileLineIsRemembered(t *testing.T) {
	l := New(Options{Output: io.Discard})
	for range remembered + 1 {
		e := hostile()
		e.Reason = reason.NotExposed
		l.Write(e)
	}
	text, err := json.Marshal(l.Recent())
	require.NoError(t, err)
	assert.Regexp(t, `^[ -~]*$`, string(text))
}

func TestRememberingAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	l, e := New(Options{Output: io.Discard}), refusedInTheGUI()
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		l.Write(e)
		l.filling = l.filling[:0]
	}))
	require.NotEmpty(t, l.Recent().Refused)
}
