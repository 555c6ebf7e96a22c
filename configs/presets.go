package configs

import "slices"

// preset is a name for a part of the Tracardi API that web pages need.
type preset struct {
	name   string
	routes []Allow
}

// presets returns all of them. Preflights are not among their methods: they
// are answered by what cors says.
func presets() []preset {
	get, read := []string{"GET"}, []string{"GET", "HEAD"}
	collect := []string{"GET", "POST"}
	follow := []string{"GET", "POST", "PUT", "DELETE"}
	return []preset{
		{"track", []Allow{{"track", []string{"POST"}, "/track"}}},
		{"tracker", []Allow{
			{"tracker", read, "/tracker/liliput.min.js"},
			{"tracker", read, "/tracker/liliput.min.js.map"},
		}},
		{"uix", []Allow{{"uix", read, "/uix/*"}}},
		{"consent", []Allow{
			{"consent", []string{"POST"}, "/customer/consent"},
			{"consent", get, "/consents/type/enabled"},
		}},
		{"collect", []Allow{
			{"collect", collect, "/collect/{type}/{source}"},
			{"collect", collect, "/collect/{type}/{source}/{session}"},
		}},
		{"redirect", []Allow{
			{"redirect", follow, "/redirect/{id}"},
			{"redirect", follow, "/redirect/{id}/{session}"},
		}},
	}
}

// PresetNames returns the presets that allow knows.
func PresetNames() []string {
	all := presets()
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.name
	}
	return names
}

// Expand returns the methods and paths that a names. Of a preset that is each
// of its routes, which keep the preset's name; anything else is its own
// expansion. A path is exact, ends in "/*" for everything below it, or has
// segments like {type} that stand for any one segment.
func (a Allow) Expand() []Allow {
	if a.Path != "" {
		return []Allow{a}
	}
	all := presets()
	i := slices.IndexFunc(all, func(p preset) bool { return p.name == a.Preset })
	if i < 0 {
		return nil
	}
	return all[i].routes
}
