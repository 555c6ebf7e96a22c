package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxMistakes bounds a report. A file with more is not a settings file.
const maxMistakes = 100

// Mistake is one thing that is wrong in the settings.
type Mistake struct {
	File   string // the settings file, or the name of an environment variable
	Line   int    // from 1; 0 where File is a variable
	Column int    // from 1; 0 where File is a variable
	Key    string // like listeners[0].pool; "" for the document itself
	Value  string // as written, text in quotes; "" where nothing is written
	Wanted string
	Hint   string // what was perhaps meant, or ""
}

// String returns the mistake as the one line that operators read.
func (m Mistake) String() string {
	var b strings.Builder
	b.WriteString(m.File)
	if m.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", m.Line, m.Column)
	}
	for _, part := range []string{m.Key, cmp.Or(m.Value, "missing")} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	b.WriteString(": wanted " + m.Wanted)
	switch {
	case strings.HasPrefix(m.Hint, `"`): // quotes are the hint
		b.WriteString("; did you mean " + m.Hint + "?")
	case m.Hint != "":
		b.WriteString("; did you mean " + strconv.Quote(m.Hint) + "?")
	}
	return b.String()
}

// Mistakes is the error of Load and Parse: everything that is wrong, in the
// order of the file, the environment last.
type Mistakes []Mistake

// Error returns one line for each mistake.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// ledger gathers mistakes. What follows from a mistake is no news, so there is
// one for each key and none below it.
type ledger struct {
	list Mistakes
	more *Mistake // the first one too many
}

// add notes m unless it follows from another mistake.
func (l *ledger) add(m Mistake) {
	if l.more != nil || m.Key != "" && slices.ContainsFunc(l.list, func(known Mistake) bool { return covers(known.Key, m.Key) }) {
		return
	}
	if len(l.list) < maxMistakes {
		l.list = append(l.list, m)
	} else {
		l.more = &Mistake{m.File, m.Line, m.Column, "", "there is more", "the others to be mended first", ""}
	}
}

// within says whether there is a mistake at key or below it.
func (l *ledger) within(key string) bool {
	return slices.ContainsFunc(l.list, func(m Mistake) bool { return covers(key, m.Key) })
}

// covers says whether key is above itself or a key below it.
func covers(above, key string) bool {
	rest, ok := strings.CutPrefix(key, above)
	return ok && above != "" && (rest == "" || rest[0] == '[' || rest[0] == '.')
}

// report returns the mistakes in order, or nil.
func (l *ledger) report() error {
	if len(l.list) == 0 {
		return nil
	}
	slices.SortStableFunc(l.list, func(a, b Mistake) int {
		return cmp.Or(
			cmp.Compare(min(b.Line, 1), min(a.Line, 1)), // variables have no line and come last
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.File, b.File),
		)
	})
	if l.more != nil {
		return append(l.list, *l.more)
	}
	return l.list
}
