package configs

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// compiler turns a draft into settings and notes what can't be meant.
type compiler struct {
	*ledger
	nodes  map[string]*node // every key that is written
	root   *node
	folder string // where relative paths begin
}

// settings compiles all of it.
func (c compiler) settings(d *draft) *Settings {
	s := &Settings{
		Pools:          c.pools(d.Pools),
		Limits:         c.limits("limits", d.Limits),
		Timeouts:       c.timeouts(d.Timeouts),
		TrustedProxies: some(d.TrustedProxies),
		Log:            c.log(d.Log),
		Traces:         c.traces(d.Traces),
	}
	s.Listeners = c.listeners(d.Listeners, s)
	c.loops(s)
	s.TLS = c.tls(d.TLS, c.needsTLS(s.Listeners))
	for i := range s.Listeners {
		if l := &s.Listeners[i]; l.TLS && l.MinVersion == "" {
			l.MinVersion = s.TLS.MinVersion
		}
	}
	s.Admin = c.admin(d.Admin, s.Listeners)
	unique(c, "trusted_proxies", s.TrustedProxies)
	s.Tests = c.tests(d.Tests, s)
	return s
}

// has says whether key is written.
func (c compiler) has(key string) bool { return c.nodes[key] != nil }

// wrong notes a mistake at key, which need not be written, unless there is one
// at or below it.
func (c compiler) wrong(key, wanted, hint string) {
	shown := ""
	if n := c.nodes[key]; n != nil {
		shown = n.shown()
	}
	c.mistake(key, shown, wanted, hint)
}

// wrongSecret is wrong for a value that nobody may read in a terminal or a log.
func (c compiler) wrongSecret(key, wanted string) {
	shown := ""
	if c.has(key) {
		shown = "what is there (not shown)"
	}
	c.mistake(key, shown, wanted, "")
}

func (c compiler) mistake(key, shown, wanted, hint string) {
	if c.within(key) {
		return
	}
	n := c.nodes[key]
	if n == nil {
		n = c.above(key)
	}
	c.add(Mistake{n.place.file, n.place.line, n.place.column, key, shown, wanted, hint})
}

// above returns the nearest node that a key which is not written belongs to.
func (c compiler) above(key string) *node {
	for key != "" {
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
		if n := c.nodes[key]; n != nil {
			return n
		}
	}
	return c.root
}

// oneOf checks a word against the words that a key knows.
func oneOf[T ~string](c compiler, key string, word T, known ...T) {
	if slices.Contains(known, word) {
		return
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	wanted := strings.Join(words, ", ")
	if len(words) > 1 {
		wanted = "one of " + wanted
	}
	c.wrong(key, wanted, nearest(string(word), words))
}

// between checks a number that is written. Defaults and what is inherited need
// no check.
func between[T cmp.Ordered](c compiler, key string, value, low, high T) {
	if c.has(key) && (value < low || value > high) {
		c.wrong(key, "from "+plainly(low)+" to "+plainly(high), "")
	}
}

// plainly prints a number the way an operator would write it.
func plainly(v any) string {
	d, ok := v.(time.Duration)
	switch {
	case !ok:
		return fmt.Sprint(v)
	case d == 0:
		return "0"
	case d%day == 0:
		return fmt.Sprint(int64(d/day), "d")
	default:
		return strings.ReplaceAll(strings.ReplaceAll(d.String(), "m0s", "m"), "h0m", "h")
	}
}

// unique checks that a list has nothing twice.
func unique[T comparable](c compiler, key string, items []T) {
	first := make(map[T]int, len(items))
	for i, item := range items {
		if j, again := first[item]; again {
			c.wrong(index(key, i), "each item once ("+index(key, j)+" is the same)", "")
			continue
		}
		first[item] = i
	}
}

// names checks the names of the sections in a list.
func (c compiler) names(list string, names []string) {
	first := make(map[string]int, len(names))
	for i, name := range names {
		key := child(index(list, i), "name")
		j, again := first[name]
		switch {
		case !validName(name):
			c.wrong(key, "a name of up to 63 letters, digits, - and _", "")
		case again:
			c.wrong(key, "a name of its own ("+index(list, j)+" has this one)", "")
		default:
			first[name] = i
		}
	}
}

// validName is as narrow as what logs, metrics and shells take unquoted.
func validName(name string) bool {
	for i, b := range []byte(name) {
		if !letter(b) && !digit(b) && (i == 0 || b != '-' && b != '_') {
			return false
		}
	}
	return name != "" && len(name) <= 63
}

// some makes no difference between an empty list and none.
func some[T any](items []T) []T {
	if len(items) == 0 {
		return nil
	}
	return items
}

// resolved returns a path as the process can open it.
func (c compiler) resolved(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.folder, path)
}
