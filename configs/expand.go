package configs

import "strings"

// maxText bounds what variables can make of a value.
const maxText = 64 << 10

// expander replaces ${NAME} in values from the environment. $${ stands for ${.
type expander struct {
	*ledger
	variables map[string]string
}

// expand goes through n and everything below it.
func (x expander) expand(n *node, key string) {
	for _, e := range n.keys {
		x.expand(e.value, child(key, e.name))
	}
	for i, item := range n.items {
		x.expand(item, index(key, i))
	}
	if n.shape == scalar && strings.Contains(n.text, "${") {
		x.replace(n, key)
	}
}

// replace puts the variables into one value. What comes of it has the type
// that the key wants.
func (x expander) replace(n *node, key string) {
	var b strings.Builder
	rest := n.text
	for b.Len() <= maxText {
		before, after, found := strings.Cut(rest, "${")
		if !found {
			n.text, n.kind = b.String()+rest, untyped
			return
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			b.WriteString(escaped + "${")
			rest = after
			continue
		}
		name, behind, closed := strings.Cut(after, "}")
		value, ok := x.variables[name]
		switch {
		case !closed || !variableName(name):
			x.refuse(n, key, "${NAME} with the name of a variable ($${ stands for a plain ${)")
			return
		case !ok:
			x.refuse(n, key, "the environment to have "+name+" ($${ stands for a plain ${)")
			return
		}
		b.WriteString(before + value)
		rest = behind
	}
	x.refuse(n, key, "at most "+Size(maxText).String()+" of text")
}

func (x expander) refuse(n *node, key, wanted string) {
	x.add(Mistake{n.place.file, n.place.line, n.place.column, key, n.shown(), wanted, ""})
	n.shape = broken
}

// variableName says whether name is one by POSIX.1-2017 section 8.1.
func variableName(name string) bool {
	for i, c := range []byte(name) {
		if c != '_' && !letter(c) && (i == 0 || !digit(c)) {
			return false
		}
	}
	return name != ""
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }
