//go:build suites

package suites

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// devtools is a page of a browser that a test looks into, over the pipes of Chromium's
// developer tools.
type devtools struct {
	commands *os.File
	answers  chan message
	session  string
	last     int
	wrong    []string // what the console and the browser have complained of
}

// message is what is said over the pipes, either way.
type message struct {
	ID        int             `json:"id,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

// newDevtools starts Chromium with an empty page.
func newDevtools(t *testing.T) *devtools {
	t.Helper()
	needs(t, "chromium")
	theirs, commands := pipe(t)
	answers, ours := pipe(t)
	command := chromium(t.TempDir(), "--remote-debugging-pipe", "about:blank")
	command.ExtraFiles = []*os.File{theirs, ours} // 3 and 4, which is where it looks
	startBrowser(t, command)
	theirs.Close()
	ours.Close()

	d := &devtools{commands: commands, answers: make(chan message, 1000)}
	go d.listen(answers)
	var target struct{ TargetID string }
	d.ask(t, "Target.createTarget", `{"url": "about:blank"}`, &target)
	var session struct{ SessionID string }
	d.ask(t, "Target.attachToTarget", `{"flatten": true, "targetId": "`+target.TargetID+`"}`, &session)
	d.session = session.SessionID
	for _, domain := range []string{"Runtime", "Log", "Audits", "Page"} {
		d.ask(t, domain+".enable", `{}`, nil)
	}
	return d
}

func pipe(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() {
		read.Close()
		write.Close()
	})
	return read, write
}

// listen hands on what the browser says, until it is gone.
func (d *devtools) listen(from *os.File) {
	defer close(d.answers)
	lines := bufio.NewReader(from)
	for {
		text, err := lines.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m) == nil {
			d.answers <- m
		}
	}
}

// ask has the browser do something and reads what it answers.
func (d *devtools) ask(t *testing.T, method, params string, result any) {
	t.Helper()
	d.last++
	text, err := json.Marshal(message{ID: d.last, Method: method, Params: json.RawMessage(params), SessionID: d.session})
	require.NoError(t, err)
	_, err = d.commands.Write(append(text, 0))
	require.NoError(t, err)
	limit := time.After(3 * patience)
	for {
		select {
		case m, open := <-d.answers:
			require.True(t, open, "the browser is gone")
			if m.ID != d.last {
				d.note(m)
				continue
			}
			require.Empty(t, string(m.Error), "%s %s", method, params)
			if result != nil {
				require.NoError(t, json.Unmarshal(m.Result, result), "%s", m.Result)
			}
			return
		case <-limit:
			require.Fail(t, "the browser does not answer", "%s %s", method, params)
		}
	}
}

// note keeps what nobody should have to complain of.
func (d *devtools) note(m message) {
	switch m.Method {
	case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Audits.issueAdded":
		d.wrong = append(d.wrong, m.Method+" "+string(m.Params))
	}
}

// evaluate returns what an expression is worth on the page, as JSON.
func (d *devtools) evaluate(t *testing.T, expression string) string {
	t.Helper()
	params, err := json.Marshal(map[string]any{"expression": "JSON.stringify(" + expression + ")", "returnByValue": true})
	require.NoError(t, err)
	var got struct {
		Result           struct{ Value string }
		ExceptionDetails json.RawMessage
	}
	d.ask(t, "Runtime.evaluate", string(params), &got)
	require.Empty(t, string(got.ExceptionDetails))
	return got.Result.Value
}
