package configs

import (
	"path/filepath"
	"slices"
)

// longestSocket is what Linux takes (unix(7)).
const longestSocket = 107

// admin checks the side for operators.
func (c compiler) admin(a Admin, listeners []Listener) Admin {
	if a.Socket != "" && (!filepath.IsAbs(a.Socket) || len(a.Socket) > longestSocket) {
		c.wrong("admin.socket", "the absolute path of a socket, at most "+plainly(longestSocket)+" bytes, or \"\" for none", "")
	}
	if a.Address != "" {
		a.Address = c.address("admin.address", a.Address)
	}
	taken := func(l Listener) bool { return l.Address == a.Address || overlap(l.Address, a.Address) }
	if i := slices.IndexFunc(listeners, taken); a.Address != "" && i >= 0 {
		c.wrong("admin.address", "a port of its own ("+index("listeners", i)+" has this one)", "")
	}
	return a
}

// log checks what is written and where to.
func (c compiler) log(l Log) Log {
	oneOf(c, "log.level", l.Level, "debug", "info", "warn", "error")
	oneOf(c, "log.format", l.Format, "json", "console")
	known := []string{"stdout", "stderr", "off"}
	if out := l.Access.Output; !slices.Contains(known, out) && !filepath.IsAbs(out) {
		c.wrong("log.access.output", "stdout, stderr, off or the absolute path of a file", nearest(out, known))
	}
	between(c, "log.access.sample", l.Access.Sample, 0, 1)
	return l
}
