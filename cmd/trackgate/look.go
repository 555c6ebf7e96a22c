package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/tlsconf"
)

// look is what was seen of a gate at one moment.
type look struct {
	Status status `json:"status"`
	Recent recent `json:"recent"`
	Error  string `json:"error,omitempty"` // why the gate did not answer; the rest is of the look before

	at    time.Time
	rates map[string]listenerRates // by the names of listeners; none at first, and after a restart
}

// recent are exchanges that are worth a look.
type recent struct {
	Refused  []exchange `json:"refused"`
	Troubled []exchange `json:"troubled"`
	Slowest  []exchange `json:"slowest"`
}

// exchange is one of them, as far as it is shown: part of a line of the access log.
type exchange struct {
	Time     time.Time `json:"time"`
	Reason   string    `json:"reason"`
	Status   int       `json:"status"`
	Duration float64   `json:"duration_seconds"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	Client   string    `json:"client"`
	Listener string    `json:"listener"`
	Backend  string    `json:"backend"`
}

// listenerRates is what a listener did in a second.
type listenerRates struct{ requests, handshakes float64 }

// ratesBetween compares two looks at one process.
func ratesBetween(last, now *look) map[string]listenerRates {
	if last == nil || !last.Status.Since.Equal(now.Status.Since) || now.Status.UptimeSeconds <= last.Status.UptimeSeconds {
		return nil
	}
	gap := now.Status.UptimeSeconds - last.Status.UptimeSeconds
	before := map[string]metrics.Totals{}
	for _, l := range last.Status.Listeners {
		before[l.Name] = l.Totals
	}
	rates := map[string]listenerRates{}
	for _, l := range now.Status.Listeners {
		if b, ok := before[l.Name]; ok && l.Requests >= b.Requests && handshakes(l.Totals) >= handshakes(b) {
			rates[l.Name] = listenerRates{float64(l.Requests-b.Requests) / gap, float64(handshakes(l.Totals)-handshakes(b)) / gap}
		}
	}
	return rates
}

func handshakes(t metrics.Totals) uint64 {
	var all uint64
	for _, n := range t.Handshakes {
		all += n
	}
	return all
}

// sections are some lines and tables. What is worse stands above.
func (l *look) sections() []section {
	return []section{
		{lines: l.head()},
		{title: []string{"LISTENER", "KIND", "ADDRESS", "POOL", "REQUESTS/S", "HANDSHAKES/S", "REQUESTS", "NOT OK", "5XX"}, rows: l.listeners()},
		{title: []string{"POOL", "BACKEND", "STATE", "FOR", "WEIGHT", "RUNNING", "KEPT", "WHY"}, rows: l.backends()},
		{title: []string{"REASON", "LAST 5 MIN", "SINCE START"}, rows: l.reasons()},
		{title: exchangeTitle("FAILED OR SLOW"), rows: exchangeRows(l.Recent.Troubled)},
		{title: exchangeTitle("SLOWEST"), rows: exchangeRows(l.Recent.Slowest)},
		{title: exchangeTitle("REFUSED"), rows: exchangeRows(l.Recent.Refused)},
	}
}

// head is how the gate is, in a few lines.
func (l *look) head() []line {
	s, t := l.Status, l.Status.Traffic
	lines := []line{
		{text: fmt.Sprintf("trackgate %s is %s for %s, %d connections, process %d, %s UTC", s.Version, s.State, span(s.UptimeSeconds), s.Connections,
			s.PID, l.at.UTC().Format(time.TimeOnly)), bold: true, bad: s.State != "serving"},
		{text: fmt.Sprintf("%s requests/s, %s refused, %s failed; half done within %s, 99 %% within %s (last %s)", short(t.Requests), short(t.Refused),
			short(t.Failed), took(t.Half), took(t.Most), span(t.WindowSeconds)), bad: t.Failed > 0},
	}
	if len(t.History) > 0 {
		lines = append(lines, line{text: bars(t.History) + " requests/s, the last " + span(float64(len(t.History))*t.StepSeconds)})
	}
	if text := l.certificates(); text != "" {
		lines = append(lines, line{text: text, bad: true})
	}
	if l.Error != "" {
		lines = append(lines, line{text: "What you see is old: " + l.Error, bad: true})
	}
	return lines
}

// certificates says which need somebody to look at them; "" for none.
func (l *look) certificates() string {
	var hosts []string
	for _, c := range l.Status.Certificates {
		if inTrouble(c) {
			hosts = append(hosts, c.Host)
		}
	}
	if len(hosts) == 0 {
		return ""
	}
	return "Certificates that are missing, end soon or cannot be renewed (trackgate certs): " + few(hosts)
}

// soon is when the end of a certificate that the gate cannot renew is worth a line.
const soon = 7 // days

func inTrouble(c tlsconf.State) bool {
	failing := c.Order != nil && c.Order.Failures > 0
	return c.Source == "" || c.DaysLeft <= 0 || failing || c.Renewal.IsZero() && c.DaysLeft < soon
}

func (l *look) listeners() [][]string {
	var rows [][]string
	for _, s := range l.Status.Listeners {
		requests, shaken := "-", "-"
		if r, ok := l.rates[s.Name]; ok {
			requests, shaken = short(r.requests), short(r.handshakes)
		}
		rows = append(rows, []string{s.Name, s.Kind, s.Address, s.Pool, requests, shaken, whole(s.Requests), whole(s.Requests - s.Reasons["ok"]), whole(s.Statuses["5xx"])})
	}
	return rows
}

func (l *look) backends() [][]string {
	states := slices.Clone(l.Status.Backends)
	slices.SortStableFunc(states, func(a, b pool.State) int { return cmp.Compare(rank(a), rank(b)) })
	var rows [][]string
	for _, b := range states {
		rows = append(rows, []string{b.Pool, b.Backend, stateOf(b), span(l.at.Sub(b.Since).Seconds()), strconv.Itoa(b.Weight), strconv.Itoa(b.Running),
			strconv.Itoa(b.Kept), b.Why})
	}
	return rows
}

// rank orders backends: those that are down first.
func rank(b pool.State) int {
	switch {
	case b.State == "down":
		return 0
	case b.State != "up" || b.Draining:
		return 1
	}
	return 2
}

// reasons are why requests were not answered by a backend, the most frequent first.
func (l *look) reasons() [][]string {
	happened := slices.DeleteFunc(slices.Clone(l.Status.Traffic.Reasons), func(h metrics.Happened) bool { return h.Reason == "ok" })
	slices.SortStableFunc(happened, func(a, b metrics.Happened) int {
		return cmp.Or(cmp.Compare(b.Recent, a.Recent), cmp.Compare(b.Total, a.Total))
	})
	var rows [][]string
	for _, h := range happened {
		rows = append(rows, []string{h.Reason, whole(h.Recent), whole(h.Total)})
	}
	return rows
}

func exchangeTitle(what string) []string {
	return []string{what, "REASON", "STATUS", "TOOK", "METHOD", "CLIENT", "LISTENER", "BACKEND", "PATH"}
}

func exchangeRows(list []exchange) [][]string {
	var rows [][]string
	for _, e := range list {
		rows = append(rows, []string{e.Time.UTC().Format(time.TimeOnly), e.Reason, strconv.Itoa(e.Status), took(&e.Duration), e.Method, e.Client, e.Listener,
			e.Backend, e.Path})
	}
	return rows
}

// print writes all of it, and an empty line.
func (l *look) print(out io.Writer) error {
	for _, s := range l.sections() {
		for _, line := range s.shown(len(s.rows)) {
			if _, err := fmt.Fprintln(out, line.text); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(out)
	return err
}

// bars draws requests a second, one bar for each step.
func bars(history []metrics.Rates) string {
	const heights = "▁▂▃▄▅▆▇█"
	most := 0.0
	for _, r := range history {
		most = max(most, r.Requests)
	}
	var b strings.Builder
	for _, r := range history {
		height := 0
		if most > 0 {
			height = int(r.Requests / most * 7)
		}
		b.WriteString(string([]rune(heights)[height]))
	}
	return b.String()
}

// short writes a number with as many digits as matter.
func short(n float64) string {
	if n > 0 && n < 10 {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return whole(uint64(max(n, 0) + .5))
}

// whole writes a number with its thousands apart.
func whole(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// took writes a duration in seconds with two digits; "-" for none.
func took(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	d := time.Duration(*seconds * float64(time.Second))
	for unit := time.Duration(1); unit <= time.Minute; unit *= 10 {
		if d < 100*unit {
			return d.Round(unit).String()
		}
	}
	return d.Round(time.Second).String()
}

// span writes seconds in two units.
func span(seconds float64) string {
	d := time.Duration(max(seconds, 0) * float64(time.Second))
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
