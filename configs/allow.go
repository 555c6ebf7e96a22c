package configs

import (
	"slices"
	"strconv"
	"strings"
)

// maxAllow bounds what one listener allows; all of it is compared in pairs.
const maxAllow = 256

// allow checks what a public listener lets through.
func (c compiler) allow(key string, d draftListener) []Allow {
	if d.Kind != Public {
		return nil
	}
	if d.Allow == nil && !c.has(key) {
		return defaultListener().Allow
	}
	if len(d.Allow) == 0 || len(d.Allow) > maxAllow {
		c.wrong(key, "from 1 to "+strconv.Itoa(maxAllow)+" entries", "")
		return nil
	}
	for i, a := range d.Allow {
		c.allowed(index(key, i), a)
	}
	c.overlaps(key, d.Allow)
	return d.Allow
}

func (c compiler) allowed(key string, a Allow) {
	if n := c.nodes[key]; n != nil && n.shape == scalar {
		if names := PresetNames(); !slices.Contains(names, a.Preset) {
			c.wrong(key, "a preset ("+strings.Join(names, ", ")+") or {methods: [POST], path: /x}", nearest(a.Preset, names))
		}
		return
	}
	c.methods(key+".methods", a.Methods)
	base := strings.TrimSuffix(a.Path, "/*")
	if !plainPath(base) || a.Path == "//*" {
		c.wrong(key+".path", "a path like /x, or /x/* for all below it, of letters, digits and -._~", likelyPath(a.Path))
	}
}

func (c compiler) methods(key string, methods []string) {
	known := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	if len(methods) == 0 {
		c.wrong(key, "at least one of "+strings.Join(known, ", "), "")
	}
	for i, m := range methods {
		oneOf(c, index(key, i), m, known...)
	}
	unique(c, key, methods)
}

// plainPath says whether a path has only one spelling: no empty or dot
// segments, nothing that could be percent-encoded. "/" is the shortest.
func plainPath(path string) bool {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || len(path) > 1024 {
		return false
	}
	if rest == "" {
		return true
	}
	for segment := range strings.SplitSeq(rest, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, reservedInPath) {
			return false
		}
	}
	return true
}

// reservedInPath is the contrary of unreserved (RFC 3986 section 2.3).
func reservedInPath(r rune) bool {
	return r > 0x7f || !letter(byte(r)) && !digit(byte(r)) && !strings.ContainsRune("-._~", r)
}

// likelyPath mends what is often meant.
func likelyPath(path string) string {
	likely := "/" + strings.Trim(path, "/")
	if prefix, ok := strings.CutSuffix(likely, "*"); ok {
		likely = strings.TrimRight(prefix, "/") + "/*"
	}
	if likely == path || likely == "/" || !plainPath(strings.TrimSuffix(likely, "/*")) {
		return ""
	}
	return likely
}

// overlaps notes entries that allow what another one allows already.
func (c compiler) overlaps(key string, entries []Allow) {
	routes := make([][]Allow, len(entries))
	for j, entry := range entries {
		routes[j] = entry.Expand()
		for i := range j {
			if twice := shared(routes[i], routes[j]); twice != "" {
				c.wrong(index(key, j), "each method and path once ("+index(key, i)+" allows "+twice+" too)", "")
				break
			}
		}
	}
}

// shared returns a method and path of which one side allows all that the other
// does, or "".
func shared(some, others []Allow) string {
	for _, a := range some {
		for _, b := range others {
			if !includes(a.Path, b.Path) && !includes(b.Path, a.Path) {
				continue
			}
			for _, method := range b.Methods {
				if slices.Contains(a.Methods, method) {
					return method + " " + b.Path
				}
			}
		}
	}
	return ""
}

// includes says whether every path that narrow matches is matched by wide.
func includes(wide, narrow string) bool {
	for {
		if wide == "*" {
			return narrow != ""
		}
		segment, restWide, moreWide := strings.Cut(wide, "/")
		other, restNarrow, moreNarrow := strings.Cut(narrow, "/")
		any := strings.HasPrefix(segment, "{") && other != "*"
		if segment != other && !any || moreWide != moreNarrow {
			return false
		}
		if !moreWide {
			return true
		}
		wide, narrow = restWide, restNarrow
	}
}
