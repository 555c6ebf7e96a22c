package route

import (
	"bytes"
	"fmt"

	"github.com/trackgate/trackgate/internal/reason"
)

// Options are what both kinds of table can have.
type Options struct {
	BasePath   string // "" or "/api": the part of every target that the backends do not know
	Preflights bool   // OPTIONS is answered by the edge wherever another method is exposed
}

// Table is the compiled exposure of one listener. It never changes and may be
// used by any number of goroutines.
type Table struct {
	base       []byte
	preflights bool
	open       bool
	fixed      map[string]*entry
	patterns   []pattern
}

// entry is a path without a choice.
type entry struct {
	path    []byte
	methods methods
}

// Decision is what becomes of a request.
type Decision struct {
	Reason reason.Reason // OK, Malformed, NotExposed or MethodNotExposed

	// Path and Query are what to ask the backend for; the query has its "?" and
	// is empty if there was none. Nil if nothing is to be forwarded. They may
	// belong to the target or to the table: read only.
	Path, Query []byte

	// Preflight says that the edge answers this OPTIONS itself.
	Preflight bool

	// Allow is the value of the Allow field: what the path can be asked, for a
	// preflight and for MethodNotExposed.
	Allow string
}

// Public returns a table that exposes the rules and nothing else. Rules for
// one path add up.
func Public(rules []Rule, o Options) (*Table, error) {
	t, err := newTable(o)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if err := t.add(r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Open returns a table that exposes everything that can be read with
// certainty.
func Open(o Options) (*Table, error) {
	t, err := newTable(o)
	if err != nil {
		return nil, err
	}
	t.open = true
	return t, nil
}

func newTable(o Options) (*Table, error) {
	if b := o.BasePath; b != "" && (b[0] != '/' || b[len(b)-1] == '/' || spell([]byte(b)) != plain) {
		return nil, fmt.Errorf("%w: base path %q is not like /api", ErrRule, b)
	}
	return &Table{base: []byte(o.BasePath), preflights: o.Preflights, fixed: map[string]*entry{}}, nil
}

// add compiles one rule into t.
func (t *Table) add(r Rule) error {
	set, err := methodsOf(r.Methods)
	if err != nil {
		return fmt.Errorf("path %q: %w", r.Path, err)
	}
	p, fixed, err := newPattern(r.Path, set)
	switch {
	case err != nil:
		return err
	case !fixed:
		t.patterns = append(t.patterns, p)
	case t.fixed[r.Path] == nil:
		t.fixed[r.Path] = &entry{[]byte(r.Path), set}
	default:
		t.fixed[r.Path].methods |= set
	}
	return nil
}

// Match decides on a method and the raw bytes of a target in origin-form.
func (t *Table) Match(method, target []byte) Decision {
	path, query, ok := read(target)
	if !ok {
		return Decision{Reason: reason.Malformed}
	}
	quality := spell(path)
	if t.open && quality == confusing {
		return Decision{Reason: reason.Malformed}
	}
	path, ok = t.strip(path)
	if !ok || !t.open && quality != plain {
		return Decision{Reason: reason.NotExposed}
	}
	path, allowed := t.find(path)
	d := t.decide(methodOf(method), allowed)
	if d.Reason == reason.OK && !d.Preflight {
		d.Path, d.Query = path, query
	}
	return d
}

// strip takes the base path off. What is left starts with a slash: the base
// path alone names the backend's root.
func (t *Table) strip(path []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(path, t.base)
	if ok && len(rest) == 0 {
		return path[:1:1], true
	}
	return rest, ok && rest[0] == '/'
}

// find returns the path to forward and what it can be asked; nothing if it is
// not exposed.
func (t *Table) find(path []byte) ([]byte, methods) {
	if t.open {
		return path, every
	}
	forward, allowed := t.lookup(path)
	if last := len(path) - 1; allowed == 0 && last > 0 && path[last] == '/' {
		return t.lookup(path[:last:last])
	}
	return forward, allowed
}

// lookup is find for exactly these bytes.
func (t *Table) lookup(path []byte) ([]byte, methods) {
	var allowed methods
	if e := t.fixed[string(path)]; e != nil {
		path, allowed = e.path, e.methods
	}
	for i := range t.patterns {
		if t.patterns[i].matches(path) {
			allowed |= t.patterns[i].methods
		}
	}
	return path, allowed
}

// decide says what becomes of method m where allowed are.
func (t *Table) decide(m, allowed methods) Decision {
	if allowed == 0 {
		return Decision{Reason: reason.NotExposed}
	}
	if m&allowed != 0 && !(t.preflights && m == options) {
		return Decision{Reason: reason.OK}
	}
	if t.preflights {
		allowed |= options
	}
	if m&allowed == 0 {
		return Decision{Reason: reason.MethodNotExposed, Allow: allowed.field()}
	}
	return Decision{Reason: reason.OK, Preflight: true, Allow: allowed.field()}
}
