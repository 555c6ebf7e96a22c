package configs

import (
	"strings"
	"time"
)

const maxPathSize = 1024

// Health says how it is found out which backends are up.
type Health struct {
	Path     string
	Host     string // "" is the backend's own
	Status   []int
	Interval time.Duration // 0: no active checks
	Timeout  time.Duration
	Rise     int
	Fall     int
	Failures int // in a row, connections that fail or answers that are late, take a backend out for a while; 0: off
}

func (c compiler) health(key string, h Health) Health {
	if h.Status == nil && !c.has(key+".status") {
		h.Status = defaultPool().Health.Status
	}
	if !validProbe(h.Path) {
		c.wrong(key+".path", "a path that begins with /, of plain ASCII", likelyProbe(h.Path))
	}
	if _, _, ok := parseAuthority(h.Host, 80); !ok && h.Host != "" {
		c.wrong(key+".host", "a host name with or without a port, or nothing for the backend's own", "")
	}
	if len(h.Status) == 0 {
		c.wrong(key+".status", "at least one status", "")
	}
	c.statuses(key+".status", h.Status, 200)
	if h.Interval != 0 && (h.Interval < 10*time.Millisecond || h.Interval > time.Hour) {
		c.wrong(key+".interval", "from 10ms to 1h, or 0 for no active checks", "")
	}
	between(c, key+".timeout", h.Timeout, shortest, time.Minute)
	between(c, key+".rise", h.Rise, 1, 100)
	between(c, key+".fall", h.Fall, 1, 100)
	between(c, key+".failures", h.Failures, 0, 100)
	return h
}

// statuses checks a list of statuses, each from lowest to 599.
func (c compiler) statuses(key string, list []int, lowest int) {
	for i, status := range list {
		between(c, index(key, i), status, lowest, 599)
	}
	unique(c, key, list)
}

// validProbe says whether a target can be sent as it is: origin-form, visible
// characters, no fragment (RFC 9112 section 3.2.1).
func validProbe(target string) bool {
	odd := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '#' || r == '\\' }
	return strings.HasPrefix(target, "/") && len(target) <= maxPathSize && !strings.ContainsFunc(target, odd)
}

func likelyProbe(target string) string {
	if likely := "/" + target; target != "" && !strings.Contains(target, "://") && validProbe(likely) {
		return likely
	}
	return ""
}
