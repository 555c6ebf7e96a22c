package wirecheck

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The names that the gate serves, and the request that smugglers embed.
const (
	publicHost = "edge.test"
	guiHost    = "gui.edge.test"
	smuggled   = "GET /smuggled HTTP/1.1\r\nHost: " + publicHost + "\r\nX-Smuggled: 1\r\n\r\n"
)

var (
	repeats    = regexp.MustCompile(`(?s)\{REPEAT:([^{}]*?):(\d+)\}`)
	bigChunks  = regexp.MustCompile(`\{REPEATCHUNK8K:(\d+)\}`)
	timed      = regexp.MustCompile(`(?s)\{(PAUSE|WAIT100|DRIP):([^{}]*)\}`)
	unexpanded = regexp.MustCompile(`\{[A-Z][A-Z0-9_]*[:}]`)
)

// step is one thing that a client does: it writes text, count times, and after
// each waits, or only until something interim arrives.
type step struct {
	text    string
	wait    time.Duration
	count   int
	interim bool
}

// steps returns what the client of a case does.
func (c clientCase) steps() ([]step, error) {
	if c.Protocol == http2Protocol {
		return c.http2Steps()
	}
	return steps(c.Raw)
}

// steps turns the raw text of a case into what a client does.
func steps(raw string) ([]step, error) {
	text, err := expand(raw)
	if err != nil {
		return nil, err
	}
	var all []step
	for {
		at := timed.FindStringSubmatchIndex(text)
		if at == nil {
			return append(all, step{text: text, count: 1}), leftover(text)
		}
		all = append(all, step{text: text[:at[0]], count: 1})
		s, err := timedStep(text[at[2]:at[3]], text[at[4]:at[5]])
		if err != nil {
			return nil, err
		}
		all = append(all, s)
		text = text[at[1]:]
	}
}

// timedStep reads {PAUSE:ms}, {WAIT100:ms} or {DRIP:text:ms:n}.
func timedStep(kind, argument string) (step, error) {
	s := step{count: 1, interim: kind == "WAIT100"}
	if kind == "DRIP" {
		parts := strings.Split(argument, ":")
		if len(parts) < 3 {
			return step{}, fmt.Errorf("drip of %q", argument)
		}
		last := len(parts) - 1
		text, err := unescape(strings.Join(parts[:last-1], ":"))
		if err != nil {
			return step{}, err
		}
		if s.count, err = strconv.Atoi(parts[last]); err != nil {
			return step{}, err
		}
		s.text, argument = text, parts[last-1]
	}
	ms, err := strconv.Atoi(argument)
	s.wait = time.Duration(ms) * time.Millisecond
	return s, err
}

// expand writes out the escapes and every placeholder that stands for bytes.
func expand(raw string) (string, error) {
	text, err := unescape(raw)
	if err != nil {
		return "", err
	}
	text = names(text)
	text = repeats.ReplaceAllStringFunc(text, func(m string) string {
		parts := repeats.FindStringSubmatch(m)
		once, failed := unescape(parts[1])
		if failed != nil {
			err = failed
		}
		return strings.Repeat(once, number(parts[2]))
	})
	text = bigChunks.ReplaceAllStringFunc(text, func(m string) string {
		chunk := "2000\r\n" + strings.Repeat("A", 0x2000) + "\r\n"
		return strings.Repeat(chunk, number(bigChunks.FindStringSubmatch(m)[1]))
	})
	return measureBody(text), err
}

func names(text string) string {
	length := strconv.Itoa(len(smuggled))
	return strings.NewReplacer(
		"{HOST}", publicHost,
		"{HOST_UPPER}", strings.ToUpper(publicHost),
		"{GUI_HOST}", guiHost,
		"{SM}", smuggled,
		"{LEN:SM}", length,
		"{HEXLEN:SM}", strconv.FormatInt(int64(len(smuggled)), 16),
		"{LEN_HDR_SM}", "Content-Length: "+length+"\r\n",
	).Replace(text)
}

// measureBody replaces {CLBODY} by the length of what follows {B}.
func measureBody(text string) string {
	head, body, marked := strings.Cut(text, "{B}")
	if !marked {
		return text
	}
	return strings.Replace(head, "{CLBODY}", fmt.Sprintf("Content-Length: %d", len(body)), 1) + body
}

// unescape reads C escapes: \r \n \t \" \\ and \xNN for one byte.
func unescape(text string) (string, error) {
	plain, err := strconv.Unquote(`"` + text + `"`)
	if err != nil {
		return "", fmt.Errorf("escapes of %.60q: %w", text, err)
	}
	return plain, nil
}

func number(digits string) int {
	n, _ := strconv.Atoi(digits) // the expressions above match digits only
	return n
}

func leftover(text string) error {
	if found := unexpanded.FindString(text); found != "" {
		return fmt.Errorf("a placeholder that nobody knows: %s", found)
	}
	return nil
}

func TestPlaceholdersAreWrittenOut(t *testing.T) {
	for raw, want := range map[string]string{
		`GET / HTTP/1.1\r\nHost: {HOST}`: "GET / HTTP/1.1\r\nHost: edge.test",
		`{HOST_UPPER} {GUI_HOST}`:        "EDGE.TEST gui.edge.test",
		`a\x00\xffb`:                     "a\x00\xffb",
		`{REPEAT:ab:3}`:                  "ababab",
		`{REPEAT:a\\r\\n:2}`:             "a\r\na\r\n",
		`{LEN:SM} {HEXLEN:SM}`:           "58 3a",
		`{CLBODY}\r\n\r\n{B}0\r\n\r\n`:   "Content-Length: 5\r\n\r\n0\r\n\r\n",
		`{"json": true}`:                 `{"json": true}`,
	} {
		got, err := expand(strings.ReplaceAll(raw, `"`, `\"`))
		require.NoError(t, err, raw)
		assert.Equal(t, want, got)
	}
}

func TestStepsKeepTheirOrder(t *testing.T) {
	got, err := steps(`a{PAUSE:20}b{WAIT100:30}{DRIP:x: y\\n:5:3}c`)
	require.NoError(t, err)
	assert.Equal(t, []step{
		{text: "a", count: 1}, {wait: 20 * time.Millisecond, count: 1},
		{text: "b", count: 1}, {wait: 30 * time.Millisecond, count: 1, interim: true},
		{text: "", count: 1}, {text: "x: y\n", wait: 5 * time.Millisecond, count: 3},
		{text: "c", count: 1},
	}, got)
}

func TestUnknownPlaceholdersAreMistakes(t *testing.T) {
	for _, raw := range []string{`{NEW:thing}`, `{DRIP:x}`, `{PAUSE:soon}`, `\q`} {
		_, err := steps(raw)
		assert.Error(t, err, raw)
	}
}
