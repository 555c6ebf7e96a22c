package configs

import (
	"reflect"
	"strconv"
	"strings"
)

// decoder holds nodes against Go types. What fits becomes plain values, and
// every key that is there gets into nodes.
type decoder struct {
	*ledger
	nodes map[string]*node
}

// value returns n as a value for t: a scalar of that type, a []any, or a
// map[string]any. Where n does not fit that is noted and ok is false.
func (d decoder) value(n *node, key string, t reflect.Type) (value any, ok bool) {
	d.nodes[key] = n
	switch {
	case n.shape == broken:
		return nil, false
	case plain(t):
		return d.scalar(n, key, t)
	case t.Kind() == reflect.Slice:
		return d.list(n, key, t)
	case n.shape == scalar && shortKey(t) != "":
		return d.short(n, key, t)
	default:
		return d.section(n, key, t)
	}
}

func (d decoder) scalar(n *node, key string, t reflect.Type) (any, bool) {
	wanted := wantedFor(t)
	if n.shape != scalar {
		d.mistake(n, key, wanted, "")
		return nil, false
	}
	value, hint, ok := scalarValue(n, t)
	switch {
	case ok:
		return value, true
	case hint == n.text && hint != "":
		d.mistake(n, key, wanted+" without quotes", "")
	case t.Kind() == reflect.String && n.kind == number:
		d.mistake(n, key, wanted+", so in quotes", hint)
	case strings.ContainsAny(n.text, "\r\n"):
		d.mistake(n, key, wanted+" in one line", "")
	default:
		d.mistake(n, key, wanted, hint)
	}
	return nil, false
}

// list keeps a place for items that do not fit, so that the others keep their
// numbers.
func (d decoder) list(n *node, key string, t reflect.Type) (any, bool) {
	if n.shape != list {
		d.mistake(n, key, "a list", "")
		return nil, false
	}
	if len(n.items) > maxItems {
		d.mistake(n, key, "at most "+strconv.Itoa(maxItems)+" items", "")
		return nil, false
	}
	items := make([]any, len(n.items))
	for i, item := range n.items {
		value, ok := d.value(item, index(key, i), t.Elem())
		if !ok {
			value = placeholder(t.Elem())
		}
		items[i] = value
	}
	return items, true
}

func placeholder(t reflect.Type) any {
	if t.Kind() == reflect.Struct && !plain(t) {
		return map[string]any{}
	}
	return reflect.Zero(t).Interface()
}

// short reads a section that is written as one value.
func (d decoder) short(n *node, key string, t reflect.Type) (any, bool) {
	if t != reflect.TypeFor[CORS]() {
		value, ok := d.scalar(n, key, reflect.TypeFor[string]())
		return map[string]any{shortKey(t): value}, ok
	}
	if n.text != "off" {
		d.mistake(n, key, "off, or a section with the keys "+strings.Join(names(fieldsOf(t)), ", "), offHint(n))
		return nil, false
	}
	return map[string]any{"off": true}, true
}

// offHint knows what people write for off.
func offHint(n *node) string {
	if n.text == "false" || n.text == "no" || n.text == "none" {
		return "off"
	}
	return nearest(n.text, []string{"off"})
}

func (d decoder) section(n *node, key string, t reflect.Type) (any, bool) {
	fields := fieldsOf(t)
	if n.shape != section {
		d.mistake(n, key, "a section with the keys "+strings.Join(names(fields), ", "), "")
		return nil, false
	}
	values := make(map[string]any, len(n.keys))
	for _, e := range n.keys {
		if typ := typeOf(fields, e.name); typ == nil {
			d.unknown(e, child(key, e.name), names(fields))
		} else if value, ok := d.value(e.value, child(key, e.name), typ); ok {
			values[e.name] = value
		}
	}
	return values, true
}

func typeOf(fields []field, key string) reflect.Type {
	for _, f := range fields {
		if f.key == key {
			return f.typ
		}
	}
	return nil
}

func (d decoder) unknown(e entry, key string, known []string) {
	d.add(Mistake{e.place.file, e.place.line, e.place.column, key, e.value.shown(),
		"a key that is known here (" + strings.Join(known, ", ") + ")", nearest(e.name, known)})
}

func (d decoder) mistake(n *node, key, wanted, hint string) {
	d.add(Mistake{n.place.file, n.place.line, n.place.column, key, n.shown(), wanted, hint})
}
