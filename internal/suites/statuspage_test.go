//go:build suites

package suites

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

const watchedSettings = `
listeners:
  - {name: public, kind: public, address: "%s", hosts: [%s], pool: collectors}
pools:
  - {name: collectors, backends: ["http://%s", "http://%s"], health: {interval: 100ms, timeout: 90ms}}
tls: {issuer: internal, storage: "%s"}
admin: {socket: "", address: "%s"}
log: {access: {output: "off"}}
`

// watched is a gate whose status page is looked at. One of its backends is dead.
type watched struct {
	public, admin, alive, dead string
	process                    *program.Process
	client                     *http.Client
}

func newWatched(t *testing.T, hosts ...string) *watched {
	t.Helper()
	w := &watched{
		public: program.FreeAddress(t), admin: program.FreeAddress(t), alive: newCollector(t).address, dead: program.FreeAddress(t),
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, // it is not about certificates
	}
	w.process = program.Run(t, gate(t), fmt.Sprintf(watchedSettings, w.public, strings.Join(append(hosts, "localhost"), ", "), w.alive, w.dead, t.TempDir(), w.admin))
	program.AwaitListener(t, w.public)
	program.AwaitListener(t, w.admin)
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

// get asks the public listener for what it does not expose, in these very bytes.
func (w *watched) get(t *testing.T, path string) {
	t.Helper()
	_, port, _ := strings.Cut(w.public, ":")
	ask := &http.Request{URL: &url.URL{Scheme: "https", Host: "localhost:" + port, Opaque: path}}
	res, err := w.client.Do(ask)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

// open lets a browser with a screen of that width open the page.
func (w *watched) open(t *testing.T, width int, scheme string) *devtools {
	t.Helper()
	d := newDevtools(t)
	d.ask(t, "Emulation.setDeviceMetricsOverride", fmt.Sprintf(`{"width": %d, "height": 800, "deviceScaleFactor": 1, "mobile": true}`, width), nil)
	d.ask(t, "Emulation.setEmulatedMedia", `{"features": [{"name": "prefers-color-scheme", "value": "`+scheme+`"}]}`, nil)
	d.ask(t, "Page.navigate", `{"url": "http://`+w.admin+`/"}`, nil)
	return d
}

// await waits until the text of an element has all of the words.
func (d *devtools) await(t *testing.T, id string, words ...string) {
	t.Helper()
	text := ""
	require.Eventually(t, func() bool {
		text = d.evaluate(t, `document.getElementById("`+id+`")?.textContent ?? ""`)
		for _, word := range words {
			if !strings.Contains(text, word) {
				return false
			}
		}
		return true
	}, patience, 50*time.Millisecond, "%s never had %q", id, words)
}

// The page shows the gate as it is and follows it, and the browser has nothing to
// complain of. What a client sends is text.
func TestThePageShowsTheGate(t *testing.T) {
	w := newWatched(t)
	w.get(t, "/<img/src=x/onerror=alert(1)>")
	d := w.open(t, 1200, "light")

	d.await(t, "state", "serving")
	d.await(t, "backends", "collectors", w.alive, "up", w.dead, "down", "connection refused")
	d.await(t, "listeners", "public", w.public, "localhost")
	d.await(t, "certificates", "localhost", "good", "internal")
	d.await(t, "reasons", "not_exposed", "public 1")
	d.await(t, "refused", "not_exposed", "127.0.0.1", "onerror=alert(1)")
	d.await(t, "traffic", "Requests a second")
	w.get(t, "/seen-while-looking")
	d.await(t, "refused", "/seen-while-looking")

	assert.Equal(t, "0", d.evaluate(t, `document.querySelectorAll("main img, main script").length`))
	assert.Equal(t, "true", d.evaluate(t, `[...document.querySelectorAll("table")].every(t => t.tHead.rows.length === 1 && t.getAttribute("aria-labelledby"))`))
	assert.Empty(t, d.wrong)
}

// On a phone nothing has to be pushed aside, and by day and by night it can be read.
func TestThePageCanBeReadAnywhere(t *testing.T) {
	w := newWatched(t)
	w.get(t, "/"+strings.Repeat("long", 60))
	for _, scheme := range []string{"light", "dark"} {
		d := w.open(t, 360, scheme)
		d.await(t, "backends", w.alive)
		d.await(t, "refused", "longlong")
		assert.Equal(t, "[360,360]", d.evaluate(t, `[innerWidth, document.documentElement.scrollWidth]`), scheme)
		var faint []string
		require.NoError(t, json.Unmarshal([]byte(d.evaluate(t, faintTexts)), &faint))
		assert.Empty(t, faint, scheme)
		assert.Empty(t, d.wrong, scheme)
	}
}

// faintTexts lists what has less contrast with what is behind it than WCAG 2 wants (4.5).
const faintTexts = `(() => {
	const channels = (color) => color.match(/[\d.]+/g).map(Number);
	const light = (color) => {
		const [r, g, b] = channels(color).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const behind = (e) => {
		for (; e; e = e.parentElement) {
			const color = getComputedStyle(e).backgroundColor;
			if (channels(color)[3] !== 0) return color;
		}
		return "rgb(255, 255, 255)";
	};
	return [...document.querySelectorAll("h1, h1 span, h2, h3, p, td, strong, #since")].filter((e) => e.textContent && !e.hidden).map((e) => {
		const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
		return [(a + 0.05) / (b + 0.05), e.textContent];
	}).filter(([contrast]) => contrast < 4.5).map(([contrast, text]) => contrast.toFixed(1) + " " + text);
})()`

// Who looks sees when the gate has ended, and that what is shown is old.
func TestThePageSaysThatTheGateIsGone(t *testing.T) {
	w := newWatched(t)
	d := w.open(t, 1200, "light")
	d.await(t, "backends", w.alive)
	require.NoError(t, w.process.Stop())
	d.await(t, "trouble", "The gate does not answer.", "What you see is of ")
	assert.Equal(t, `"stale"`, d.evaluate(t, `document.body.className`))
}

// Of very much the worst is shown, and how much more there is.
func TestThePageShowsALittleOfVeryMuch(t *testing.T) {
	var hosts []string
	for n := range 150 {
		hosts = append(hosts, fmt.Sprintf("h%d.example.com", n))
	}
	d := newWatched(t, hosts...).open(t, 1200, "light")
	d.await(t, "certificates", "example.com", "and 51 more")
	d.await(t, "listeners", "h0.example.com, h1.example.com, h2.example.com and 148 more")
	assert.Equal(t, "101", d.evaluate(t, `document.getElementById("certificates").tBodies[0].rows.length`))
	assert.Equal(t, `"down"`, d.evaluate(t, `document.getElementById("backends").tBodies[0].rows[0].cells[2].textContent`))
}

// hide has the page believe that nobody sees it, or that somebody does.
func (d *devtools) hide(t *testing.T, hidden bool) {
	t.Helper()
	d.evaluate(t, fmt.Sprintf(`(Object.defineProperty(document, "hidden", {value: %t, configurable: true}), document.dispatchEvent(new Event("visibilitychange")))`, hidden))
}

// A page that nobody sees asks nothing, and one that is seen again asks at once.
func TestThePageRestsWhileItIsHidden(t *testing.T) {
	w := newWatched(t)
	d := w.open(t, 1200, "light")
	d.await(t, "backends", w.alive)
	const asked = `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/status")).length`
	d.hide(t, true)
	<-time.After(time.Second) // what is under way ends
	before := d.evaluate(t, asked)
	<-time.After(5 * time.Second)
	assert.Equal(t, before, d.evaluate(t, asked))
	d.hide(t, false)
	require.Eventually(t, func() bool { return d.evaluate(t, asked) != before }, patience, 20*time.Millisecond)
}
