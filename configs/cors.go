package configs

import (
	"net/netip"
	"slices"
	"strings"
)

// cors gives a listener what it answers to other origins. A GUI passes the
// fields on unless it names its origins: with * every page that a member of
// the staff visits could read it.
func (c compiler) cors(key string, d draftListener) CORS {
	if d.CORS.Off || d.Kind != Public && !c.has(key) {
		return CORS{Off: true}
	}
	between(c, key+".max_age", d.CORS.MaxAge, 0, longestCORS)
	cors := CORS{Origins: d.CORS.Origins, MaxAge: d.CORS.MaxAge}
	if cors.Origins == nil && d.Kind == Public {
		cors.Origins = defaultListener().CORS.Origins
	}
	if len(cors.Origins) == 0 {
		c.wrong(key+".origins", "at least one origin (or cors: off)", "")
	}
	for i, origin := range cors.Origins {
		c.origin(index(key+".origins", i), origin, d.Kind)
	}
	if len(cors.Origins) > 1 && slices.Contains(cors.Origins, "*") {
		c.wrong(key+".origins", `["*"] alone, or the origins without "*"`, "")
	}
	unique(c, key+".origins", cors.Origins)
	return cors
}

func (c compiler) origin(key, origin string, kind Kind) {
	switch {
	case origin == "*" && kind == GUI:
		c.wrong(key, "an origin of the GUI like https://gui.example.com", "")
	case origin != "*" && !validOrigin(origin):
		hint := strings.ToLower(strings.TrimRight(origin, "/"))
		if !strings.Contains(hint, "://") {
			hint = "https://" + hint
		}
		if !validOrigin(hint) || !strings.ContainsAny(origin, ".:") {
			hint = ""
		}
		c.wrong(key, "an origin like https://shop.example.com, as browsers send it", hint)
	}
}

// validOrigin says whether a browser would send it so (RFC 6454 section 6.2):
// lower case, without a path and without the port that the scheme has anyway.
func validOrigin(origin string) bool {
	scheme, authority, found := strings.Cut(origin, "://")
	if !found || scheme != "https" && scheme != "http" {
		return false
	}
	host, port, withPort := cutPort(authority)
	if withPort && (!validPort(port) || scheme == "https" && port == "443" || scheme == "http" && port == "80") {
		return false
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && addr.Zone() == "" && "["+addr.String()+"]" == host
	}
	_, err := netip.ParseAddr(host)
	return err == nil && !strings.Contains(host, ":") || domain(host, false) && host == lower(host)
}

// cutPort splits an authority at the colon of its port, if it has one.
func cutPort(authority string) (host, port string, found bool) {
	i := strings.LastIndexByte(authority, ':')
	if i < 0 || strings.HasSuffix(authority, "]") {
		return authority, "", false
	}
	return authority[:i], authority[i+1:], true
}
