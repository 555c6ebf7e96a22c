//go:build suites

package suites

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// shop serves the pages in testdata, which send events to a gate of another origin.
type shop struct {
	origin string
	said   chan said
}

// said is what a page could read of the gate's answers.
type said struct {
	Event, Large, Closed, Unasked answer
	Beacon                        bool // the browser took it
}

// answer is an answer's status and body, or the name of what went wrong.
type answer struct {
	Status int
	Text   string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{said: make(chan said, 1)}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(filepath.Join("testdata", "pages"))))
	mux.HandleFunc("POST /said", func(_ http.ResponseWriter, r *http.Request) {
		var what said
		if assert.NoError(t, json.NewDecoder(r.Body).Decode(&what)) {
			s.said <- what
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	require.NoError(t, err)
	s.origin = "http://localhost:" + port
	return s
}

// visit opens a page in a browser and returns what the page says.
func (s *shop) visit(t *testing.T, e *edge, page string) said {
	t.Helper()
	browse(t, e.ca(), s.origin+page+"&gate="+url.QueryEscape(e.url("")))
	select {
	case what := <-s.said:
		return what
	case <-time.After(3 * patience): // a browser has much to do before it opens a page
		require.Fail(t, "the page never told what it has seen")
		return said{}
	}
}

// browse starts Chromium, as somebody who trusts the CA, until the test ends.
func browse(t *testing.T, ca, address string) {
	t.Helper()
	needs(t, "chromium", "certutil")
	home := t.TempDir()
	store := filepath.Join(home, ".pki", "nssdb")
	require.NoError(t, os.MkdirAll(store, 0o700))
	for _, arguments := range [][]string{{"-N", "--empty-password"}, {"-A", "-n", "gate", "-t", "C,,", "-i", ca}} {
		output, err := run(t, "certutil", append([]string{"-d", "sql:" + store}, arguments...)...)
		require.NoError(t, err, "%s", output)
	}
	startBrowser(t, chromium(home, address))
}

// chromium is the command that starts it, without a window, for somebody with this home.
func chromium(home string, arguments ...string) *exec.Cmd {
	command := exec.Command("chromium", append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir=" + filepath.Join(home, "profile")}, arguments...)...)
	command.Env = append(os.Environ(), "HOME="+home)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

// startBrowser starts it until the test ends.
func startBrowser(t *testing.T, command *exec.Cmd) {
	t.Helper()
	browser := program.Start(t, command)
	t.Cleanup(func() {
		browser.Stop()                                      //nolint:errcheck // its end is its own affair
		syscall.Kill(-command.Process.Pid, syscall.SIGKILL) //nolint:errcheck // what it has left, if anything
	})
}

// asked returns how often each method was asked for, all of it over HTTP/2. The gate is
// stopped for it, so that nothing is missed.
func (e *edge) asked(t *testing.T) map[string]int {
	t.Helper()
	require.NoError(t, e.process.Stop())
	count := map[string]int{}
	for _, line := range readEntries(t, e.accessLog) {
		assert.Equal(t, spoken, line.Protocol, "%+v", line)
		assert.Contains(t, line.UserAgent, "Chrome", "%+v", line)
		count[fmt.Sprintf("%s %s %d", line.Method, line.Path, line.Status)]++
	}
	return count
}

// A page reads the answers to its events, and why one was refused. What is not exposed
// tells a preflight so, after which nothing is sent.
func TestChromiumReadsAnswersAndRefusalsOfAnotherOrigin(t *testing.T) {
	s := newShop(t)
	e := newEdge(t, access{origin: s.origin})
	what := s.visit(t, e, "/shop.html?")
	e.collector.await(t, 2)

	assert.Equal(t, answer{200, `{"size": 31}`}, what.Event)
	assert.Equal(t, http.StatusRequestEntityTooLarge, what.Large.Status)
	assert.Contains(t, what.Large.Text, `"reason": "body_too_large"`)
	assert.Equal(t, http.StatusNotFound, what.Closed.Status)
	assert.Contains(t, what.Closed.Text, `"reason": "not_exposed"`)
	assert.Equal(t, answer{0, "TypeError"}, what.Unasked)
	assert.True(t, what.Beacon)

	e.collector.gotOnce(t, `{"events": [{"id": "fetched"}]}`, `{"events": [{"id": "beacon"}]}`)
	asked := e.asked(t)
	assert.Contains(t, asked, "OPTIONS /track 204")
	delete(asked, "OPTIONS /track 204") // the browser may ask again or not
	assert.Equal(t, map[string]int{"POST /track 200": 2, "POST /track 413": 1, "GET /docs 404": 1, "OPTIONS /docs 404": 1}, asked)
}

// Chromium asks before the event and sends it when the page is gone already.
func TestChromiumDeliversTheEventOfAPageThatIsLeft(t *testing.T) {
	const pages = 5
	s := newShop(t)
	e := newEdge(t, access{origin: s.origin})
	s.visit(t, e, fmt.Sprintf("/leaving.html?left=%d", pages))
	e.collector.await(t, pages)

	var sent []string
	for i := range pages {
		sent = append(sent, strings.ReplaceAll(`{"events": [{"id": "beacon N"}]}`, "N", fmt.Sprint(i+1)))
	}
	e.collector.gotOnce(t, sent...)
	assert.Equal(t, pages, e.asked(t)["POST /track 200"])
}

// Another origin's page can send nothing that needs to be asked for, and read nothing.
func TestChromiumKeepsAnswersFromAStrangersPage(t *testing.T) {
	s := newShop(t)
	e := newEdge(t, access{})
	what := s.visit(t, e, "/shop.html?")

	unread := answer{0, "TypeError"}
	assert.Equal(t, said{Event: unread, Large: unread, Closed: unread, Unasked: unread, Beacon: true}, what)
	assert.Empty(t, e.collector.deliveries())
	assert.NotContains(t, e.asked(t), "POST /track 200")
}
