package configs

import "slices"

// admin checks the side for operators.
func (c compiler) admin(a Admin, listeners []Listener) Admin {
	if a.Socket != "" {
		c.wrong("admin.socket", "nothing (the admin socket"+later+")", "")
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
	l.Access = c.accessLog("log.access", l.Access)
	return l
}
