package configs

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const variablePrefix = "TRACKGATE_"

// environment puts TRACKGATE_ variables into the tree. The name of a variable is
// its key in upper case, with _ where a section or a list is entered and the
// number of the item: TRACKGATE_LISTENERS_0_ADDRESS. Lists of plain values are
// written with commas.
type environment struct {
	*ledger
	variables map[string]string
}

// variable is one that names a key.
type variable struct {
	name, text string
	steps      []string // keys, and numbers of items
	typ        reflect.Type
}

// splitVariables takes the form of os.Environ. As there, the last one counts.
func splitVariables(env []string) map[string]string {
	variables := make(map[string]string, len(env))
	for _, line := range env {
		if name, value, ok := strings.Cut(line, "="); ok {
			variables[name] = value
		}
	}
	return variables
}

// apply puts all of them into root, a section of type t.
func (e environment) apply(root *node, t reflect.Type) {
	for _, v := range e.known(t) {
		from := place{file: v.name}
		if spot := e.spot(root, v, from); spot != nil {
			*spot = *v.node(from)
		}
	}
}

// known returns those that name a key, in the order of their items, and notes
// the others.
func (e environment) known(t reflect.Type) []variable {
	var found []variable
	for name, text := range e.variables {
		rest, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || serviceLink(rest) {
			continue
		}
		if steps, typ := resolve(t, rest); typ != nil {
			found = append(found, variable{name, text, steps, typ})
		}
	}
	slices.SortFunc(found, func(a, b variable) int { return slices.CompareFunc(a.steps, b.steps, compareSteps) })
	e.refuseOthers(t)
	return found
}

func (e environment) refuseOthers(t reflect.Type) {
	names := make([]string, 0, len(e.variables))
	for name := range e.variables {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		rest, ours := strings.CutPrefix(name, variablePrefix)
		if !ours || serviceLink(rest) {
			continue
		}
		if _, typ := resolve(t, rest); typ == nil {
			e.add(Mistake{name, 0, 0, "", strconv.Quote(short(e.variables[name])),
				"a variable that is named after a key", likelyVariable(t, rest)})
		}
	}
}

func likelyVariable(t reflect.Type, rest string) string {
	if likely := nearest(rest, variableNames(t, "", firstNumber(rest))); likely != "" {
		return variablePrefix + likely
	}
	return ""
}

// serviceLink says whether Kubernetes sets such a variable in each pod next to
// a Service that is called trackgate or trackgate-something.
func serviceLink(rest string) bool {
	rest = "_" + rest
	for _, end := range []string{"_SERVICE_HOST", "_SERVICE_PORT", "_PORT"} {
		if strings.HasSuffix(rest, end) {
			return true
		}
	}
	return strings.Contains(rest, "_SERVICE_PORT_") || linkedPort(rest)
}

// linkedPort knows the older form, like _PORT_443_TCP_ADDR.
func linkedPort(rest string) bool {
	_, port, ok := strings.Cut(rest, "_PORT_")
	number, _, _ := strings.Cut(port, "_")
	_, err := strconv.ParseUint(number, 10, 16)
	return ok && err == nil
}

// resolve finds the key that the rest of a variable's name stands for, and the
// type of its value. Keys have _ in them too, so each is tried.
func resolve(t reflect.Type, rest string) ([]string, reflect.Type) {
	if rest == "" {
		if fromText(t) {
			return nil, t
		}
		return nil, nil
	}
	if t.Kind() == reflect.Slice {
		number, deeper, _ := strings.Cut(rest, "_")
		if i, err := strconv.Atoi(number); err != nil || i < 0 || strconv.Itoa(i) != number {
			return nil, nil
		}
		return step(number, t.Elem(), deeper)
	}
	if plain(t) {
		return nil, nil
	}
	for _, f := range fieldsOf(t) {
		deeper, ok := strings.CutPrefix(rest+"_", strings.ToUpper(f.key)+"_")
		if steps, typ := step(f.key, f.typ, strings.TrimSuffix(deeper, "_")); ok && typ != nil {
			return steps, typ
		}
	}
	return nil, nil
}

func step(name string, t reflect.Type, rest string) ([]string, reflect.Type) {
	steps, typ := resolve(t, rest)
	return append([]string{name}, steps...), typ
}

func compareSteps(a, b string) int {
	i, err := strconv.Atoi(a)
	j, err2 := strconv.Atoi(b)
	if err == nil && err2 == nil {
		return cmp.Compare(i, j)
	}
	return cmp.Compare(a, b)
}

// spot returns the node that v replaces. On its way it makes what is missing;
// a list grows by one item at a time.
func (e environment) spot(n *node, v variable, from place) *node {
	key := ""
	for _, s := range v.steps {
		i, err := strconv.Atoi(s)
		if err != nil {
			n, key = n.enter(s, from), child(key, s)
			continue
		}
		if key = index(key, i); i > len(n.items) {
			e.add(Mistake{v.name, 0, 0, key, strconv.Quote(short(v.text)),
				"an item from 0 to " + strconv.Itoa(len(n.items)), ""})
			return nil
		}
		n = n.item(i, from)
	}
	return n
}

// enter returns the value of a key, which is made where it is missing.
func (n *node) enter(key string, from place) *node {
	if n.shape != section {
		*n = node{shape: section, place: from}
	}
	if n.at(key) == nil {
		n.keys = append(n.keys, entry{key, from, &node{place: from, kind: nothing}})
	}
	return n.at(key)
}

// item returns the item i of a list, which is made where it is the next.
func (n *node) item(i int, from place) *node {
	if n.shape != list {
		*n = node{shape: list, place: from}
	}
	if i == len(n.items) {
		n.items = append(n.items, &node{place: from, kind: nothing})
	}
	return n.items[i]
}

// node returns the value of a variable.
func (v variable) node(from place) *node {
	if v.typ.Kind() != reflect.Slice {
		return &node{place: from, text: v.text}
	}
	n := &node{shape: list, place: from}
	for item := range strings.SplitSeq(v.text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			n.items = append(n.items, &node{place: from, text: item})
		}
	}
	return n
}

// variableNames returns the names of all variables, with item wherever a list
// is entered.
func variableNames(t reflect.Type, name, item string) []string {
	var all []string
	if fromText(t) {
		all = append(all, strings.TrimSuffix(name, "_"))
	}
	switch {
	case t.Kind() == reflect.Slice:
		all = append(all, variableNames(t.Elem(), name+item+"_", item)...)
	case t.Kind() == reflect.Struct && !plain(t):
		for _, f := range fieldsOf(t) {
			all = append(all, variableNames(f.typ, name+strings.ToUpper(f.key)+"_", item)...)
		}
	}
	return all
}

// firstNumber returns the first item that the rest of a name enters, or 0.
func firstNumber(rest string) string {
	for part := range strings.SplitSeq(rest, "_") {
		if i, err := strconv.ParseUint(part, 10, 16); err == nil {
			return strconv.FormatUint(i, 10)
		}
	}
	return "0"
}
