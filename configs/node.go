package configs

import (
	"strconv"
	"strings"
)

// shape is what a node is.
type shape uint8

const (
	scalar shape = iota
	section
	list
	broken // already a mistake
)

// kindOfText is what YAML takes a scalar for.
type kindOfText uint8

const (
	untyped kindOfText = iota // from the environment: whatever the key wants
	text
	number
	boolean
	nothing
)

// node is one value of the settings with its place. It knows nothing of YAML.
type node struct {
	shape shape
	place place
	text  string
	kind  kindOfText
	keys  []entry
	items []*node
}

// entry is a key of a section.
type entry struct {
	name  string
	place place
	value *node
}

// place is where something is written: a position in the file, or a variable.
type place struct {
	file         string
	line, column int
}

// at returns the value of a key, or nil.
func (n *node) at(key string) *node {
	for _, e := range n.keys {
		if e.name == key {
			return e.value
		}
	}
	return nil
}

// count returns how many items the list under a key has.
func (n *node) count(key string) int {
	if child := n.at(key); child != nil {
		return len(child.items)
	}
	return 0
}

// shown returns the value as a mistake shows it.
func (n *node) shown() string {
	switch {
	case n.shape == section && len(n.keys) == 0:
		return "an empty section"
	case n.shape == section:
		return "a section"
	case n.shape == list && len(n.items) == 0:
		return "an empty list"
	case n.shape == list:
		return "a list"
	case n.shape == broken:
		return "what can't be read"
	case n.kind == nothing:
		return "nothing"
	case n.kind == number || n.kind == boolean:
		return short(n.text)
	default:
		return strconv.Quote(short(withoutUser(n.text)))
	}
}

// withoutUser hides the user and password of a URL, which have no place here
// and none in what is printed.
func withoutUser(s string) string {
	before, after, isURL := strings.Cut(s, "://")
	i := strings.LastIndexByte(after, '@')
	if !isURL || i < 0 {
		return s
	}
	return before + "://…" + after[i:]
}

// short bounds what is shown of a text.
func short(s string) string {
	const longest = 80
	if runes := []rune(s[:min(len(s), 4*longest)]); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return s
}
