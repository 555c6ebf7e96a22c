package route

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/reason"
)

func TestSpelling(t *testing.T) {
	for path, want := range map[string]spelling{
		"/":            plain,
		"/a/b-c/d_e/~": plain,
		"/a/":          plain,
		"/a.b/.c/d.":   plain,
		"/..a/b..c":    plain,
		"//":           odd,
		"/a//b":        odd,
		"/a//":         odd,
		"/...":         odd,
		"/.../a":       odd,
		"/a;b":         odd,
		"/%41":         odd,
		"/%2ea":        odd,
		"/%2e%2E%2e":   odd,
		"/a\xff":       odd,
		"/.":           confusing,
		"/..":          confusing,
		"/a/./b":       confusing,
		"/a/%2e":       confusing,
		"/a/.%2E/b":    confusing,
		"/a%2Fb":       confusing,
		"/a%5Cb":       confusing,
		`/a\b`:         confusing,
		"/%00":         confusing,
		"/%1f":         confusing,
		"/%7F":         confusing,
		"/%":           confusing,
		"/%4":          confusing,
		"/%4/1":        confusing,
		"/%g0":         confusing,
		"/%0g":         confusing,
	} {
		assert.Equal(t, want, spell([]byte(path)), path)
	}
}

func TestReadSplitsAtTheFirstQuestionMark(t *testing.T) {
	for target, want := range map[string][2]string{
		"/a":       {"/a", ""},
		"/a?":      {"/a", "?"},
		"/?b?c":    {"/", "?b?c"},
		"/a?/../b": {"/a", "?/../b"},
	} {
		path, query, ok := read([]byte(target))
		assert.True(t, ok)
		assert.Equal(t, want, [2]string{string(path), string(query)})
	}
}

// FuzzOpen holds that a target which passes an open table has the same
// segments for a reader that decodes before it splits as for one that splits
// first, and none that climbs.
func FuzzOpen(f *testing.F) {
	for _, target := range confusions {
		f.Add(target)
	}
	f.Add("/api/a%20b/..c/%2ed?x=/../y")
	f.Add("/api/%E2%82%AC//z")
	table := open(f, Options{BasePath: "/api"})
	f.Fuzz(func(t *testing.T, target string) {
		d := table.Match([]byte("GET"), []byte(target))
		if d.Reason != reason.OK {
			return
		}
		assert.Contains(t, []string{"/api" + string(d.Path) + string(d.Query), "/api" + string(d.Query)}, target)
		decoded, err := url.PathUnescape(string(d.Path))
		assert.NoError(t, err)
		assert.Equal(t, strings.Count(string(d.Path), "/"), strings.Count(decoded, "/"))
		for segment := range strings.SplitSeq(decoded, "/") {
			assert.NotContains(t, []string{".", ".."}, segment)
		}
		assert.False(t, strings.ContainsAny(decoded, "\\\r\n\x00"))
	})
}
