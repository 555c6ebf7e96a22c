package wirecheck

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// clientCase is something that a client sends, and what must come of it.
type clientCase struct {
	ID, Class, Protocol, Kind, Raw string

	Listener     string // public, gui_allowed or gui_denied
	TLS          hello
	HalfClose    bool  `json:"half_close"`    // the client says that it has sent everything
	HeadResponse bool  `json:"head_response"` // the answer has no body, whatever its fields say
	TimeoutMS    int64 `json:"timeout_ms"`
	Slow         bool  // takes as long as the gate's own deadlines
	Load         bool  // floods
	Attack       bool
	Settings     string  // the payload of HTTP/2's first frame
	Frames       []frame // that follow it
	Deaf         bool    `json:"-"` // reads nothing until it has said everything; no case of the file does
	Expect       expectation

	RFC  string
	Refs []string
}

// hello is what differs in the client's side of the handshake.
type hello struct {
	SNI  string
	ALPN *[]string
}

// expectation is what a case accepts. A status of 0 is a connection that was
// closed without an answer, and noAnswer one that stays open without an answer.
type expectation struct {
	Status       []int
	Preferred    []int
	Tolerated    []int
	Sequence     [][]int `json:"status_sequence"`
	MaxResponses *int    `json:"max_responses"`
	MustClose    bool    `json:"must_close"`
	ShouldClose  bool    `json:"should_close"`
	MustNotReach bool    `json:"must_not_reach_backend"`

	// Of HTTP/2, where a status of 0 may be a stream that was reset as well.
	H2Error         []string `json:"h2_error"`         // one of these codes
	ConnectionError bool     `json:"connection_error"` // and not only of the stream
	StillUsable     bool     `json:"connection_still_usable"`

	Backend sight
	Note    string
}

const (
	closedSilently = 0
	noAnswer       = -1
)

// sight is what a case says about the requests that the backend sees.
type sight struct {
	Body            *string
	BodyIfReached   *string           `json:"body_if_reached"`
	Target          []string          // one of these
	TargetIfReached []string          `json:"target_if_reached"`
	ForbidBytes     []string          `json:"forbid_bytes"`
	ForbidTargets   []string          `json:"forbid_request_targets"`
	HeaderAbsent    []string          `json:"header_absent"`
	HeaderNot       map[string]string `json:"header_not"`
	HeaderEquals    map[string]string `json:"header_equals"`
	RequireHeaders  []string          `json:"require_headers"`
	NoComplete      bool              `json:"no_complete_request"`
	NoUnderscores   bool              `json:"no_underscore_names"`
	XFFIsClient     bool              `json:"xff_is_client"`
	CLSingle        bool              `json:"cl_single"`
	CLMax           *int              `json:"cl_forwarded_max"`
	CLNot           *string           `json:"cl_not"`
}

// backendCase is something that a backend does, and what must come of it.
type backendCase struct {
	ID, Class, Request string

	Raw    string `json:"backend_raw"`
	Action action `json:"backend_action"`
	Expect struct {
		Status         []int
		Tolerated      []int
		Reuse          *bool    `json:"upstream_reuse"` // of the connection, by the next request
		MustTruncate   bool     `json:"client_must_see_truncation"`
		HeaderAbsent   []string `json:"client_header_absent"`
		KeepAlive      bool     `json:"client_keepalive"`
		ForbidNextBody string   `json:"forbid_next_body"` // every follow-up is held to its whole body
		Note           string
	}
}

func (c clientCase) timeout() time.Duration {
	if c.TimeoutMS == 0 {
		return 2 * time.Second
	}
	return time.Duration(c.TimeoutMS) * time.Millisecond
}

// corpus is everything in the file that this gate is asked.
type corpus struct {
	client  []clientCase
	backend []backendCase
}

// loadCorpus reads the cases strictly: what a case says and nobody here
// understands is an error, not something to be passed over.
func loadCorpus(t *testing.T) corpus {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "corpus.json"))
	require.NoError(t, err)
	var file struct {
		Meta         json.RawMessage
		Cases        []json.RawMessage
		BackendCases []json.RawMessage `json:"upstream_cases"`
	}
	strict(t, text, &file)
	var all corpus
	for _, text := range file.Cases {
		c := readCase[clientCase](t, text)
		if other, ok := deviations()[c.ID]; ok {
			c = other(c)
		}
		all.client = append(all.client, c)
	}
	for _, text := range file.BackendCases {
		all.backend = append(all.backend, readCase[backendCase](t, text))
	}
	return all
}

func readCase[T any](t *testing.T, text []byte) T {
	t.Helper()
	var c T
	strict(t, text, &c)
	return c
}

func strict(t *testing.T, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(into), "%.120s", text)
}

// of returns the client cases of one protocol.
func (c corpus) of(protocol string) (some []clientCase) {
	for _, one := range c.client {
		if one.Protocol == protocol {
			some = append(some, one)
		}
	}
	return some
}

// named returns the client case with this id.
func (c corpus) named(t *testing.T, id string) clientCase {
	t.Helper()
	for _, one := range c.client {
		if one.ID == id {
			return one
		}
	}
	require.Fail(t, "no such case", id)
	return clientCase{}
}

func TestCorpusIsWhole(t *testing.T) {
	all := loadCorpus(t)
	assert.GreaterOrEqual(t, len(all.of("h1")), 289, "client cases of HTTP/1.1")
	assert.GreaterOrEqual(t, len(all.of(http2Protocol)), 118, "client cases of HTTP/2")
	assert.Len(t, all.client, len(all.of("h1"))+len(all.of(http2Protocol)), "a protocol that nobody speaks here")
	assert.GreaterOrEqual(t, len(all.backend), 29, "backend cases")
	seen := map[string]bool{}
	for _, c := range all.client {
		assert.False(t, seen[c.ID], "%s stands twice", c.ID)
		assert.NotEmpty(t, c.Expect.Status, "%s accepts nothing", c.ID)
		_, err := c.steps()
		assert.NoError(t, err, c.ID)
		seen[c.ID] = true
	}
	for _, c := range all.backend {
		assert.NotEmpty(t, c.Expect.Status, "%s accepts nothing", c.ID)
		assert.Contains(t, actions(), c.Action, c.ID)
		_, err := expand(c.Raw)
		assert.NoError(t, err, c.ID)
	}
}

func TestDeviationsAreOfCasesThatExist(t *testing.T) {
	all := loadCorpus(t)
	for id := range deviations() {
		assert.NotEmpty(t, all.named(t, id).Frames)
	}
	crumbs := all.named(t, "h2-ok-cookie-crumbs")
	assert.Equal(t, "gui_allowed", crumbs.Listener)
	assert.Contains(t, crumbs.Frames[0].Fields, [2]string{":authority", "{GUI_HOST}"})
}
