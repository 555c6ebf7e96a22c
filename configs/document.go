package configs

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	maxBytes = 1 << 20
	maxDepth = 16
	maxItems = 4096 // of a list
)

// document reads one YAML document into nodes.
type document struct {
	*ledger
	file string
}

// read returns the document as a section. ok is false where there is nothing to
// go on with.
func (d document) read(data []byte) (root *node, ok bool) {
	root = &node{shape: section, place: place{d.file, 1, 1}}
	if !d.legible(data) {
		return root, false
	}
	parsed, ok := d.parse(data)
	if parsed == nil {
		return root, ok
	}
	top := d.node(parsed, "", 0)
	switch {
	case top.shape == section:
		return top, true
	case top.shape == scalar && top.kind == nothing:
		return root, true
	case top.shape != broken:
		d.mistake(top.place, "", top.shown(), "a section with the keys of the settings")
	}
	return root, false
}

// parse returns the content of the only document, or nil if it is empty.
func (d document) parse(data []byte) (*yaml.Node, bool) {
	lines := &lineReader{data: data}
	in := yaml.NewDecoder(lines)
	var first, second yaml.Node
	err := in.Decode(&first)
	if errors.Is(err, io.EOF) {
		return nil, true
	}
	if err == nil {
		err = in.Decode(&second)
	}
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], true
	case err == nil:
		d.mistake(d.placeOf(&second), "", "a second document", "one document (no further ---)")
	default:
		said, line := lines.locate(err)
		d.mistake(place{d.file, line, 1}, "", said, "well-formed YAML")
	}
	return nil, false
}

// legible refuses what is no text of a bearable size, with its place, which
// the YAML parser would not tell.
func (d document) legible(data []byte) bool {
	if len(data) > maxBytes {
		d.mistake(place{d.file, 1, 1}, "", "a larger file", "at most 1MiB")
		return false
	}
	at := place{d.file, 1, 1}
	rest := bytes.TrimPrefix(data, []byte("\ufeff"))
	for len(rest) > 0 {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 || !printable(r) {
			d.mistake(at, "", "byte "+strconv.Quote(string(rest[:size])), "UTF-8 text without control characters")
			return false
		}
		at.column++
		if r == '\n' {
			at.line, at.column = at.line+1, 1
		}
		rest = rest[size:]
	}
	return true
}

// printable is YAML 1.2 c-printable (section 5.1).
func printable(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xa0:
		return r < 0x7f || r == 0x85
	default:
		return r != 0xfeff && r != 0xfffe && r != 0xffff
	}
}

// node converts a YAML node. Where it can't be used, that is noted and the
// node is broken, so that its neighbours keep their numbers.
func (d document) node(y *yaml.Node, key string, depth int) *node {
	n := &node{place: d.placeOf(y)}
	if wanted := unusable(y, depth); wanted != "" {
		d.mistake(n.place, key, "YAML's "+noun(y), wanted)
		n.shape = broken
		return n
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.shape = section
		n.keys = d.entries(y.Content, key, depth)
	case yaml.SequenceNode:
		n.shape = list
		for i, item := range y.Content {
			n.items = append(n.items, d.node(item, index(key, i), depth+1))
		}
	default:
		n.text, n.kind = y.Value, textKind(y)
	}
	return n
}

func (d document) entries(content []*yaml.Node, key string, depth int) []entry {
	entries := make([]entry, 0, len(content)/2)
	lines := make(map[string]int, len(content)/2)
	for pair := range slices.Chunk(content, 2) {
		name, at := pair[0].Value, d.placeOf(pair[0])
		if pair[0].Kind != yaml.ScalarNode || unusable(pair[0], 0) != "" || pair[0].ShortTag() == "!!merge" {
			d.mistake(at, key, "YAML's "+noun(pair[0]), "a plain key")
			continue
		}
		if line := lines[name]; line > 0 {
			d.mistake(at, child(key, name), "a second time", "each key once (it is in line "+strconv.Itoa(line)+" too)")
			continue
		}
		lines[name] = at.line
		entries = append(entries, entry{name, at, d.node(pair[1], child(key, name), depth+1)})
	}
	return entries
}

// child returns the key of name within the section at key. Names that no key
// could have are quoted.
func child(key, name string) string {
	if len(name) > 64 || strings.ContainsFunc(name, oddInKey) || name == "" {
		name = strconv.Quote(short(name))
	}
	if key == "" {
		return name
	}
	return key + "." + name
}

func oddInKey(r rune) bool {
	return r > 0x7f || r != '_' && r != '-' && !letter(byte(r)) && !digit(byte(r))
}

// index returns the key of an item of the list at key.
func index(key string, i int) string {
	return key + "[" + strconv.Itoa(i) + "]"
}

// unusable says what is wanted instead of a node that the settings have no use
// for. Without anchors nothing can be larger than it looks.
func unusable(y *yaml.Node, depth int) string {
	switch {
	case y.Kind == yaml.AliasNode || y.Anchor != "":
		return "values written out (anchors and aliases are not used here)"
	case y.Style&yaml.TaggedStyle != 0:
		return "values without tags"
	case depth > maxDepth:
		return "fewer levels"
	case y.Kind == yaml.SequenceNode && len(y.Content) > maxItems:
		return "at most " + strconv.Itoa(maxItems) + " items"
	default:
		return ""
	}
}

// noun names what YAML calls y.
func noun(y *yaml.Node) string {
	switch {
	case y.Kind == yaml.AliasNode:
		return "alias *" + short(y.Value)
	case y.Anchor != "":
		return "anchor &" + short(y.Anchor)
	case y.Style&yaml.TaggedStyle != 0:
		return "tag " + short(y.Tag)
	case y.ShortTag() == "!!merge":
		return "merge key <<"
	case y.Kind == yaml.MappingNode:
		return "mapping"
	case y.Kind == yaml.SequenceNode:
		return "sequence"
	default:
		return "scalar"
	}
}

func textKind(y *yaml.Node) kindOfText {
	switch y.ShortTag() {
	case "!!int", "!!float":
		return number
	case "!!bool":
		return boolean
	case "!!null":
		return nothing
	default:
		return text
	}
}

func (d document) placeOf(y *yaml.Node) place {
	return place{d.file, max(y.Line, 1), max(y.Column, 1)}
}

func (d document) mistake(at place, key, value, wanted string) {
	d.add(Mistake{d.file, at.line, at.column, key, value, wanted, ""})
}
