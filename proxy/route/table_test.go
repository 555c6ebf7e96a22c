package route

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// track is what the default preset exposes.
var track = []Rule{{Methods: []string{"POST"}, Path: "/track"}}

// wide is the /track of a listener that passes preflights on.
var wide = []Rule{{Methods: []string{"GET", "HEAD", "POST", "PUT", "OPTIONS"}, Path: "/track"}}

// presets are all opt-ins of a web deployment at once.
var presets = []Rule{
	{Methods: []string{"POST"}, Path: "/track"},
	{Methods: []string{"GET", "HEAD"}, Path: "/tracker/liliput.min.js"},
	{Methods: []string{"GET", "HEAD"}, Path: "/uix/*"},
	{Methods: []string{"POST"}, Path: "/customer/consent"},
	{Methods: []string{"GET", "POST"}, Path: "/collect/{type}/{source}"},
	{Methods: []string{"GET", "POST"}, Path: "/collect/{type}/{source}/{session}"},
	{Methods: []string{"GET", "POST", "PUT", "DELETE"}, Path: "/redirect/{id}"},
}

func public(t testing.TB, rules []Rule, o Options) *Table {
	t.Helper()
	table, err := Public(rules, o)
	require.NoError(t, err)
	return table
}

func open(t testing.TB, o Options) *Table {
	t.Helper()
	table, err := Open(o)
	require.NoError(t, err)
	return table
}

// ask matches a line like "POST /track".
func ask(table *Table, line string) Decision {
	method, target, _ := strings.Cut(line, " ")
	return table.Match([]byte(method), []byte(target))
}

func TestPublicForwardsWhatIsExposed(t *testing.T) {
	for line, want := range map[string]string{
		"POST /track":                     "/track",
		"POST /track/":                    "/track",
		"POST /track?profile_less=true":   "/track?profile_less=true",
		"POST /track/?a=/../%2e&b=?":      "/track?a=/../%2e&b=?",
		"POST /track?":                    "/track?",
		"HEAD /tracker/liliput.min.js":    "/tracker/liliput.min.js",
		"GET /uix/":                       "/uix/",
		"GET /uix/a/b-c_d~e.js":           "/uix/a/b-c_d~e.js",
		"GET /uix/a/":                     "/uix/a/",
		"GET /collect/view/shop":          "/collect/view/shop",
		"POST /collect/view/shop/1234":    "/collect/view/shop/1234",
		"GET /collect/view/shop/?x=%20":   "/collect/view/shop?x=%20",
		"DELETE /redirect/7d9f-1":         "/redirect/7d9f-1",
		"GET /collect/page.view/my~shop/": "/collect/page.view/my~shop",
	} {
		d := ask(public(t, presets, Options{}), line)
		assert.Equal(t, reason.OK, d.Reason, line)
		assert.Equal(t, want, string(d.Path)+string(d.Query), line)
	}
}

func TestPublicRefusesEverythingElse(t *testing.T) {
	for line, want := range map[string]reason.Reason{
		"PUT /track":               reason.MethodNotExposed,
		"GET /track":               reason.MethodNotExposed,
		"HEAD /track":              reason.MethodNotExposed,
		"OPTIONS /track":           reason.MethodNotExposed,
		"post /track":              reason.MethodNotExposed,
		"TRACE /track":             reason.MethodNotExposed,
		" /track":                  reason.MethodNotExposed,
		"POST /uix/a":              reason.MethodNotExposed,
		"POST /trac":               reason.NotExposed,
		"POST /track/x":            reason.NotExposed,
		"POST /tracker":            reason.NotExposed,
		"GET /tracker/":            reason.NotExposed,
		"GET /uix":                 reason.NotExposed,
		"GET /uixx/a":              reason.NotExposed,
		"GET /uix//a":              reason.NotExposed,
		"GET /uix/../track":        reason.NotExposed,
		"GET /uix/a%20b":           reason.NotExposed,
		"GET /uix/.../a":           reason.NotExposed,
		"GET /collect/view":        reason.NotExposed,
		"GET /collect/view/":       reason.NotExposed,
		"GET /collect//shop":       reason.NotExposed,
		"GET /collect/a/b/c/d":     reason.NotExposed,
		"GET /redirect/a%2fb":      reason.NotExposed,
		"POST track":               reason.Malformed,
		"OPTIONS *":                reason.Malformed,
		"GET *":                    reason.Malformed,
		"CONNECT example.com:443":  reason.Malformed,
		"POST ":                    reason.Malformed,
		"POST /track#x":            reason.Malformed,
		"POST /track?a b":          reason.Malformed,
		"POST /track?a\r\nHost: b": reason.Malformed,
		"POST /track?\x7f":         reason.Malformed,
		"POST /tr\xc3\xa4ck":       reason.Malformed,
	} {
		d := ask(public(t, presets, Options{}), line)
		assert.Equal(t, want, d.Reason, "%q", line)
		assert.Nil(t, d.Path, "%q", line)
		assert.Equal(t, want == reason.MethodNotExposed, d.Allow != "", "%q", line)
	}
}

func TestNothingElseThatIsOpenBehindTheGateIsExposed(t *testing.T) {
	const behind = `PUT /track|GET /collect/a/b|POST /collect/a/b|GET /collect/a/b/c|GET /redirect/x|PUT /redirect/x/y
POST /customer/consent|GET /consents/types|GET /consents/type/ids|GET /consents/type/by_tag|GET /consents/type/enabled
GET /event/logs/1|GET /flow/logs/1|GET /node/logs/1|GET /|GET /info/version|GET /info/versions|GET /info/version/details
GET /install|POST /install|GET /install/plugins|GET /install/demo|GET /healthcheck|POST /healthcheck|DELETE /healthcheck
POST /user/token|POST /user/logout|GET /openapi.json|GET /docs|GET /redoc|GET /documentation/x|GET /manual/x|GET /demo/x
GET /tracker/x|GET /tracker/liliput.min.js|GET /uix/x|POST /tenant/install|POST /tra%63k|POST /%74rack|GET /track|HEAD /track`
	for _, o := range []Options{{}, {Preflights: true}, {BasePath: "/api"}} {
		table := public(t, track, o)
		for line := range strings.SplitSeq(strings.ReplaceAll(behind, "\n", "|"), "|") {
			d := ask(table, strings.Replace(line, " ", " "+o.BasePath, 1))
			assert.Contains(t, []int{404, 405}, d.Reason.Status(), line)
			assert.Nil(t, d.Path, line)
		}
	}
}

// confusions are targets that try to reach something else by way of /track, or
// /track by way of something else.
var confusions = []string{
	"/admin/../track", "/track%2F..%2Fadmin", "/track/.%2e/admin", "/track/%2e%2e%2fadmin", "/track/..;/admin",
	"/track%3b/../admin", "//track", "/track//", "/./track", "/track/.", `/track\..\admin`, `/\track`, "/track%5c..%5cadmin",
	"/track/%252e%252e/admin", "/track%00", "/track%0a", "/track%09", "/track%c0%af..%c0%afadmin", "/track%e0%80%af..%e0%80%afadmin",
	"/track\xc0\xaf..\xc0\xafadmin", "/track%u002fadmin", "/track%zz", "/track%", "/\xef\xbd\x94rack", "/trac%e2%84%aa",
	"/TRACK", "/Track", "/tracking", "/track/../health", "/admin#/track", "/admin?x=/track", "/admin;/track", "/",
	"/openapi.json", "/%61dmin", "/%2e%2e/track", "/track/.../admin", "/track/. ./admin", "../track", "@evil.example/track",
	":80/track", "evil.example:443", "https://evil.example/track", "https:/track", "ftp://edge.test/track", "https://edge.test",
	"/track;x", "/track.json", "/track&x", "/track=", "/track+", "/track,", "/track*", "/track:80", "/track@", "/track!", "/track'",
	"/track\x00", "/track ", "\t/track", "/track/;/", "/.//track", "/..", "/.well-known/acme-challenge/xyz", "/track/track", "",
}

func TestNoConfusionReachesABackend(t *testing.T) {
	table := public(t, wide, Options{})
	for _, target := range confusions {
		for _, method := range []string{"GET", "POST", "OPTIONS", "TRACK", "FOO"} {
			d := ask(table, method+" "+target)
			assert.Contains(t, []reason.Reason{reason.Malformed, reason.NotExposed}, d.Reason, "%s %q", method, target)
			assert.Nil(t, d.Path, "%q", target)
		}
	}
	assert.Equal(t, reason.OK, ask(table, "GET /track?x=%0d%0a127.0.0.1%20-%20fake").Reason)
	assert.Equal(t, reason.MethodNotExposed, ask(table, "TRACK /track").Reason)
}

func TestAllowNamesWhatThePathCanBeAsked(t *testing.T) {
	rules := append(presets, Rule{Methods: []string{"PUT"}, Path: "/uix/a"}, Rule{Methods: []string{"PATCH"}, Path: "/track"})
	for line, want := range map[string]string{
		"GET /track":       "POST, PATCH, OPTIONS",
		"DELETE /uix/a":    "GET, HEAD, PUT, OPTIONS",
		"OPTIONS /uix/a":   "GET, HEAD, PUT, OPTIONS",
		"OPTIONS /track/":  "POST, PATCH, OPTIONS",
		"PUT /uix/a":       "",
		"GET /uix/a":       "",
		"OPTIONS /nowhere": "",
	} {
		assert.Equal(t, want, ask(public(t, rules, Options{Preflights: true}), line).Allow, line)
	}
	assert.Equal(t, "POST, PATCH", ask(public(t, rules, Options{}), "OPTIONS /track").Allow)
}

func TestPreflightsAreAnsweredWhereSomethingIsExposed(t *testing.T) {
	edge, passed := public(t, wide, Options{Preflights: true}), public(t, wide, Options{})

	assert.Equal(t, Decision{Reason: reason.OK, Preflight: true, Allow: "GET, HEAD, POST, PUT, OPTIONS"}, ask(edge, "OPTIONS /track"))
	assert.True(t, ask(edge, "OPTIONS /track/?a").Preflight)
	assert.False(t, ask(edge, "POST /track").Preflight)
	assert.Equal(t, Decision{Reason: reason.NotExposed}, ask(edge, "OPTIONS /tracker"))
	assert.Equal(t, Decision{Reason: reason.OK, Path: []byte("/track")}, ask(passed, "OPTIONS /track"))
	assert.True(t, ask(open(t, Options{Preflights: true}), "OPTIONS /any").Preflight)
	assert.False(t, ask(open(t, Options{}), "OPTIONS /any").Preflight)
}

func TestOpenPassesWhatHasOneMeaning(t *testing.T) {
	table := open(t, Options{})
	for _, target := range []string{"/", "/track/", "/a%20b/c?d=e/../f", "/a..b/.git/...", "/user@x;v=1/%E2%82%AC", "//a//b", "/a%25b", "/%2ea"} {
		d := ask(table, "PATCH "+target)
		assert.Equal(t, reason.OK, d.Reason, target)
		assert.Equal(t, target, string(d.Path)+string(d.Query))
	}
	for _, target := range []string{
		"/a/../b", "/a/..", "/.", "/./a", "/%2e%2E/a", "/.%2e", "/a%2fb", "/a%2Fb", "/a%5cb", `/a\b`, "/a%00", "/a%0d%0ab", "/a%", "/a%2", "/a%zz", "*", "a",
	} {
		assert.Equal(t, Decision{Reason: reason.Malformed}, ask(table, "GET "+target), target)
	}
	for _, method := range []string{"CONNECT", "TRACE", "get", "PROPFIND", ""} {
		d := ask(table, method+" /a")
		assert.Equal(t, Decision{Reason: reason.MethodNotExposed, Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}, d, method)
	}
}

func TestBasePathIsStrippedAsWholeSegments(t *testing.T) {
	o := Options{BasePath: "/api/v1"}
	for line, want := range map[string]string{
		"POST /api/v1/track":   "/track",
		"POST /api/v1/track/":  "/track",
		"POST /api/v1?x":       "/?x",
		"POST /api/v1/":        "/",
		"POST /track":          "",
		"POST /api/v1track":    "",
		"POST /api/track":      "",
		"POST /api":            "",
		"POST /API/v1/track":   "",
		"POST /x/api/v1/track": "",
	} {
		rules := append(track, Rule{Methods: []string{"POST"}, Path: "/"})
		for _, table := range []*Table{public(t, rules, o), open(t, o)} {
			d := ask(table, line)
			assert.Equal(t, want, strings.Replace(string(d.Path)+string(d.Query), "/track/", "/track", 1), line)
			assert.Equal(t, want == "", d.Reason == reason.NotExposed, line)
		}
	}
	assert.Equal(t, reason.NotExposed, ask(public(t, track, o), "POST /api/v1//track").Reason)
}

func TestMatchAllocatesNothing(t *testing.T) {
	table := public(t, presets, Options{Preflights: true})
	method := []byte("POST")
	for _, line := range []string{"/track?x=1", "/track/", "/collect/a/b", "/nowhere", "/uix/a", "/%2e%2e/a", "*"} {
		target := []byte(line)
		assert.Zero(t, testing.AllocsPerRun(100, func() { table.Match(method, target) }), line)
	}
}

func BenchmarkMatch(b *testing.B) {
	table := public(b, presets, Options{})
	method, target := []byte("POST"), []byte("/track?profile_less=true")
	for b.Loop() {
		table.Match(method, target)
	}
}

func FuzzMatch(f *testing.F) {
	for _, target := range confusions {
		f.Add("GET", target)
	}
	f.Add("POST", "/track?a")
	f.Add("GET", "/uix/a/b/")
	f.Add("GET", "/collect/a/b/?x=%2e")
	f.Add("PUT", "/redirect/7d9f-1/")
	table := public(f, presets, Options{Preflights: true})
	f.Fuzz(func(t *testing.T, method, target string) {
		d := table.Match([]byte(method), []byte(target))
		if d.Reason != reason.OK || d.Preflight {
			assert.Nil(t, d.Path)
			return
		}
		assert.True(t, configured(string(d.Path)), "%q reached %q", target, d.Path)
		path, query, _ := strings.Cut(target, "?")
		assert.Equal(t, strings.TrimSuffix(path, "/"), strings.TrimSuffix(string(d.Path), "/"), "path is not what was asked for")
		assert.Equal(t, query, strings.TrimPrefix(string(d.Query), "?"))
		assert.NotContains(t, string(d.Query), "\n")
	})
}

// configured is a second, slower opinion on what presets expose.
func configured(path string) bool {
	segments := strings.Split(path, "/")[1:]
	for i, s := range segments {
		if strings.Trim(s, ".") == "" && i < len(segments)-1 || strings.ContainsAny(s, "%\\; \r\n\x00") {
			return false
		}
	}
	switch n := len(segments); segments[0] {
	case "track":
		return path == "/track"
	case "tracker":
		return path == "/tracker/liliput.min.js"
	case "customer":
		return path == "/customer/consent"
	case "uix":
		return n > 1
	case "collect":
		return n == 3 || n == 4
	case "redirect":
		return n == 2
	}
	return false
}
