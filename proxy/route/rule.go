package route

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRule is wrapped by every error about a rule or base path that a table
// cannot hold.
var ErrRule = errors.New("cannot be routed")

// Rule exposes one path of the backends.
type Rule struct {
	Methods []string // of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS; HEAD is not implied by GET
	Path    string   // "/track"; "/redirect/{id}" with any one segment; "/uix/*" with all below "/uix/"
}

// pattern is the path of a rule that leaves a choice.
type pattern struct {
	segments []string // "" is any one segment
	subtree  bool     // anything may follow the segments
	methods  methods
}

// newPattern reads a path; it is fixed if there is no choice in it.
func newPattern(path string, m methods) (p pattern, fixed bool, err error) {
	p.methods = m
	rest, subtree := strings.CutSuffix(path, "/*")
	p.subtree = subtree
	if subtree && rest == "" {
		return p, false, nil
	}
	spelled, fixed := rest, !subtree
	for segment := range strings.SplitSeq(strings.TrimPrefix(rest, "/"), "/") {
		if isName(segment) {
			spelled = strings.Replace(spelled, segment, segment[1:len(segment)-1], 1)
			segment, fixed = "", false
		}
		p.segments = append(p.segments, segment)
	}
	return p, fixed, checkPath(path, spelled, fixed)
}

// isName says whether a segment is a placeholder like {id}.
func isName(segment string) bool {
	return len(segment) > 2 && segment[0] == '{' && segment[len(segment)-1] == '}'
}

// checkPath refuses a path that no plain target could ever match. Spelled is
// the path without star and braces.
func checkPath(path, spelled string, fixed bool) error {
	if !strings.HasPrefix(spelled, "/") {
		return fmt.Errorf("%w: path %q does not start with /", ErrRule, path)
	}
	if spell([]byte(spelled)) != plain || !fixed && strings.HasSuffix(spelled, "/") {
		return fmt.Errorf("%w: path %q has other bytes than A-Z a-z 0-9 . _ ~ - or an empty or dotted segment", ErrRule, path)
	}
	return nil
}

// matches says whether a plain path is one of the pattern.
func (p *pattern) matches(path []byte) bool {
	rest, more := path[1:], true
	for _, want := range p.segments {
		if !more {
			return false
		}
		var segment []byte
		segment, rest, more = cut(rest)
		if len(segment) == 0 || want != "" && want != string(segment) {
			return false
		}
	}
	return more == p.subtree
}
