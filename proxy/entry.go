package proxy

import (
	"strings"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// entry names what of allow lets a request through: it is asked of a table of each entry
// alone.
func (l *listener) entry(req *wire.Request) string {
	if l.kind == configs.GUI {
		return "everything (kind gui)"
	}
	for _, entry := range l.settings.Allow {
		for _, rule := range entry.Expand() {
			alone := l.settings
			alone.Allow = []configs.Allow{{Methods: rule.Methods, Path: rule.Path}}
			table, err := compileRoutes(alone)
			if err == nil && table.Match(req.Method, req.Target).Reason == reason.OK {
				return nameOf(entry, rule)
			}
		}
	}
	return ""
}

func nameOf(entry, rule configs.Allow) string {
	name := strings.Join(rule.Methods, ",") + " " + rule.Path
	if entry.Preset != "" {
		return "preset " + entry.Preset + ": " + name
	}
	return name
}
