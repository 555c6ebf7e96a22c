package house

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// arrows lists, for each folder, which of our own packages its code may import.
// "x/..." stands for x and everything below it. The first row that fits counts.
var arrows = []struct {
	from string
	to   []string
}{
	{"cmd/...", []string{"cmd/...", "balancer/...", "configs", "health", "internal/...", "proxy/...", "tlsconf"}},
	{"configs", nil},
	{"tlsconf", []string{"configs", "internal/reason", "tlsconf/caa", "tlsconf/redisstore"}},
	{"tlsconf/caa", nil},
	{"tlsconf/redisstore", nil},
	{"balancer/...", []string{"balancer/..."}},
	{"health", []string{"configs"}},
	{"proxy/wire/...", []string{"proxy/wire/...", "internal/reason"}},
	{"proxy/route", []string{"configs", "internal/reason"}},
	{"proxy/access", []string{"internal/reason"}},
	{"proxy/socket", nil},
	{"proxy/backend", []string{"proxy/socket", "proxy/wire/...", "internal/reason"}},
	{"proxy/pool", []string{"balancer/...", "configs", "health", "proxy/backend", "internal/metrics", "internal/reason"}},
	{"proxy", []string{"balancer/...", "configs", "health", "proxy/...", "internal/accesslog", "internal/metrics", "internal/reason", "internal/traces"}},
	{"internal/reason", nil},
	{"internal/accesslog", []string{"internal/reason"}},
	{"internal/accesslog/syslog", nil},
	{"internal/traces", []string{"internal/accesslog", "internal/reason", "proxy/wire"}},
	{"internal/metrics", []string{"internal/reason"}},
	{"internal/admin", []string{"internal/metrics"}},
	{"internal/standin", nil},
	{"internal/testbed", []string{"balancer/...", "configs", "health", "internal/...", "proxy/...", "tlsconf"}},
	{"internal/scenario", []string{"internal/faults", "internal/program", "internal/testdns"}},
	{"internal/...", nil},
	{"examples", nil},
}

// testOnly are packages that no program may contain.
var testOnly = []string{"internal/faults", "internal/house", "internal/program", "internal/scenario", "internal/suites", "internal/testbed", "internal/testdns", "internal/testtraces", "internal/wirecheck"}

func TestPackagesImportOnlyWhatStandsBelowThem(t *testing.T) { keeps(t, followArrows) }

func TestArrowsAreCaught(t *testing.T) {
	bad := snippet(t, "balancer/pool.go", "package balancer\n\nimport _ \""+module+"/health\"\n")
	assert.Equal(t, []string{"balancer/pool.go:3: balancer may not import health"}, said(followArrows(bad)))

	stray := snippet(t, "stray/stray.go", "package stray\n")
	assert.Equal(t, []string{"stray/stray.go:1: no arrow names the folder stray"}, said(followArrows(stray)))

	shipped := snippet(t, "cmd/trackgate/run.go", "package main\n\nimport _ \""+module+"/internal/testbed\"\n")
	assert.Equal(t, []string{"cmd/trackgate/run.go:3: cmd/trackgate may not import internal/testbed"}, said(followArrows(shipped)))
}

func followArrows(all tree) []finding {
	var findings []finding
	for _, s := range all.code() {
		allowed, known := arrowsFrom(s.folder())
		if !known {
			findings = append(findings, s.found(s.file.Package, "no arrow names the folder %s", s.folder()))
		}
		for name, at := range s.imports() {
			to, ours := strings.CutPrefix(name, module+"/")
			if ours && !may(s.folder(), to, allowed) {
				findings = append(findings, s.found(at, "%s may not import %s", s.folder(), to))
			}
		}
	}
	return findings
}

func arrowsFrom(folder string) (to []string, known bool) {
	for _, a := range arrows {
		if fits(a.from, folder) {
			return a.to, true
		}
	}
	return nil, false
}

func may(from, to string, allowed []string) bool {
	return fitsAny(allowed, to) && (fitsAny(testOnly, from) || !fitsAny(testOnly, to))
}

func fitsAny(patterns []string, folder string) bool {
	for _, p := range patterns {
		if fits(p, folder) {
			return true
		}
	}
	return false
}

func fits(pattern, folder string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return folder == below || strings.HasPrefix(folder, below+"/")
	}
	return path.Clean(pattern) == folder
}
