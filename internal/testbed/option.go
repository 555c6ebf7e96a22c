package testbed

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/traces"
)

// Host is the name that the public listener of [Edge] answers to.
const Host = "track.test"

// Option says something about the settings of an Edge.
type Option func(*recipe)

// recipe is what options fill.
type recipe struct {
	whole    string
	backends []string
	listener []string
	pool     []string
	sections []string
	ports    []string
	unread   bool
	trap     string
	pending  func(host, path string) []byte
	own      func(netip.AddrPort) bool
	traces   *traces.Exporter
}

// Pool names the backends, "host:port".
func Pool(addrs ...string) Option {
	return func(r *recipe) { r.backends = append(r.backends, addrs...) }
}

// Listener adds keys to the public listener, each as in "hsts: 180d".
func Listener(keys ...string) Option {
	return func(r *recipe) { r.listener = append(r.listener, keys...) }
}

// PoolKeys adds keys to the pool, each as in "max_connections: 1".
func PoolKeys(keys ...string) Option { return func(r *recipe) { r.pool = append(r.pool, keys...) } }

// Section adds sections beside listeners and pools, each as in
// "timeouts: {body: 1s}".
func Section(sections ...string) Option {
	return func(r *recipe) { r.sections = append(r.sections, sections...) }
}

// YAML replaces listeners and pools by these.
func YAML(text string, args ...any) Option {
	return func(r *recipe) { r.whole = fmt.Sprintf(text, args...) }
}

// KeepPorts leaves these ports of listeners as they are; all others are chosen by
// the system.
func KeepPorts(ports ...string) Option {
	return func(r *recipe) { r.ports = append(r.ports, ports...) }
}

// LogUnread throws the access log away instead of keeping its lines.
func LogUnread() Option { return func(r *recipe) { r.unread = true } }

// Traps panics where a line with this word is about to be written to the gate's log.
func Traps(word string) Option { return func(r *recipe) { r.trap = word } }

// Challenged has authorities that come to see whether a host is under the gate's control
// answered with what of returns.
func Challenged(of func(host, path string) []byte) Option { return func(r *recipe) { r.pending = of } }

// Own has the gate take connections for its own program's where own says so.
func Own(own func(from netip.AddrPort) bool) Option { return func(r *recipe) { r.own = own } }

// Traced gives the gate an exporter of spans.
func Traced(e *traces.Exporter) Option { return func(r *recipe) { r.traces = e } }

// text is the settings as an operator would write them.
func (r *recipe) text() string {
	text := r.whole
	if text == "" {
		text = r.usual()
	}
	if r.mentions("tls:") == "" {
		text += "\ntls: {issuer: internal, storage: /nowhere}"
	}
	return text + "\nadmin: {address: \"\"}\n" + strings.Join(r.sections, "\n") + "\n"
}

func (r *recipe) usual() string {
	var b strings.Builder
	b.WriteString("listeners:\n  - name: public\n    address: \"127.0.0.1:443\"\n    pool: collectors\n")
	r.listener = append(r.listener, r.missing(r.listener, "kind: public", "hosts: ["+Host+", 127.0.0.1]")...)
	for _, key := range r.listener {
		b.WriteString("    " + key + "\n")
	}
	b.WriteString("pools:\n  - name: collectors\n    backends: [")
	for _, addr := range r.backends {
		b.WriteString(`"http://` + addr + `", `)
	}
	b.WriteString("]\n")
	r.pool = append(r.pool, r.missing(r.pool, "health: {interval: 0}")...)
	for _, key := range r.pool {
		b.WriteString("    " + key + "\n")
	}
	return b.String()
}

// missing returns those of usual whose key is not in keys.
func (r *recipe) missing(keys []string, usual ...string) (add []string) {
	for _, u := range usual {
		name, _, _ := strings.Cut(u, ":")
		found := false
		for _, key := range keys {
			found = found || strings.HasPrefix(key, name+":")
		}
		if !found {
			add = append(add, u)
		}
	}
	return add
}

// mentions returns the section that begins so, or "".
func (r *recipe) mentions(key string) string {
	for _, s := range r.sections {
		if strings.HasPrefix(s, key) {
			return s
		}
	}
	return ""
}

// parse compiles the options. Ports are the
// system's, and a drain is short unless a section speaks of timeouts.
func (r *recipe) parse(t testing.TB, storage string) *configs.Settings {
	t.Helper()
	settings, err := configs.Parse("test.yaml", []byte(r.text()), nil)
	require.NoError(t, err, r.text())
	settings.TLS.Storage = storage
	if !strings.Contains(r.mentions("timeouts:"), "drain") {
		settings.Timeouts.Drain = 50 * time.Millisecond
	}
	freePorts(settings.Listeners, r.ports)
	return settings
}

// freePorts lets the system choose the ports, one for each address: all
// spellings of zero do that, and listeners of one address keep one spelling.
func freePorts(listeners []configs.Listener, kept []string) {
	spellings := map[string]string{}
	for i := range listeners {
		l := &listeners[i]
		if spellings[l.Address] == "" {
			host, port, _ := net.SplitHostPort(l.Address)
			if !slices.Contains(kept, port) {
				port = strings.Repeat("0", len(spellings)+1)
			}
			spellings[l.Address] = net.JoinHostPort(host, port)
		}
		l.Address = spellings[l.Address]
	}
}
