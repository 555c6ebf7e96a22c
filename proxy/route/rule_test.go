package route

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/reason"
)

func TestRulesThatNothingCouldMatchAreMistakes(t *testing.T) {
	for path, want := range map[string]string{
		"":             `path "" does not start with /`,
		"track":        `path "track" does not start with /`,
		"*":            `path "*" does not start with /`,
		"{id}":         `path "{id}" does not start with /`,
		"/a b":         `path "/a b" has other bytes`,
		"/a%20":        `path "/a%20" has other bytes`,
		"/a//b":        `path "/a//b" has other bytes`,
		"/a/../b":      `path "/a/../b" has other bytes`,
		"/a/*/b":       `path "/a/*/b" has other bytes`,
		"/a*":          `path "/a*" has other bytes`,
		"/a//*":        `path "/a//*" has other bytes`,
		"/a/{id}/":     `path "/a/{id}/" has other bytes`,
		"/a/{}":        `path "/a/{}" has other bytes`,
		"/a/x{id}":     `path "/a/x{id}" has other bytes`,
		"/a/{b/c}":     `path "/a/{b/c}" has other bytes`,
		"/a/{id}//*":   `path "/a/{id}//*" has other bytes`,
		"/a/{..}/{id}": `path "/a/{..}/{id}" has other bytes`,
	} {
		_, err := Public([]Rule{{Methods: []string{"GET"}, Path: path}}, Options{})
		assert.ErrorIs(t, err, ErrRule, path)
		assert.ErrorContains(t, err, want)
	}
}

func TestMethodsThatCannotBeExposedAreMistakes(t *testing.T) {
	for _, methods := range [][]string{nil, {"get"}, {"GET", "TRACE"}, {"CONNECT"}, {""}} {
		_, err := Public([]Rule{{Methods: methods, Path: "/a"}}, Options{})
		assert.ErrorIs(t, err, ErrRule)
		assert.ErrorContains(t, err, `path "/a"`)
	}
}

func TestBasePathsThatAreNone(t *testing.T) {
	for _, base := range []string{"/", "api", "/api/", "/a//b", "/a/..", "/a%20"} {
		_, err := Public(nil, Options{BasePath: base})
		assert.ErrorIs(t, err, ErrRule, base)
		_, err = Open(Options{BasePath: base})
		assert.ErrorIs(t, err, ErrRule, base)
	}
}

func TestPatterns(t *testing.T) {
	for _, row := range []struct {
		rule, target string
		want         bool
	}{
		{"/", "/", true},
		{"/", "/a", false},
		{"/a/", "/a/", true},
		{"/a/", "/a", false},
		{"/*", "/", true},
		{"/*", "/a/b", true},
		{"/*", "/a/../b", false},
		{"/{x}", "/", false},
		{"/{x}", "/a", true},
		{"/{x}/{x}", "/a/b", true},
		{"/{x}/b", "/a/c", false},
		{"/{x}/b/*", "/a/b/c", true},
		{"/{x}/b/*", "/a/b", false},
		{"/{x}/b/*", "/a/bb/c", false},
		{"/a/*", "/a", false},
		{"/a/*", "/a/", true},
	} {
		table := public(t, []Rule{{Methods: []string{"GET"}, Path: row.rule}}, Options{})
		assert.Equal(t, row.want, ask(table, "GET "+row.target).Reason == reason.OK, "%s on %s", row.target, row.rule)
	}
}

func TestATableOfNothingExposesNothing(t *testing.T) {
	assert.Equal(t, Decision{Reason: reason.NotExposed}, ask(public(t, nil, Options{Preflights: true}), "OPTIONS /"))
}
