package wirecheck

import "strings"

// deviations are the cases that ask for something else than this project wants, each
// with what is asked instead. The corpus itself stays as it is.
func deviations() map[string]func(clientCase) clientCase {
	return map[string]func(clientCase) clientCase{
		// That crumbs are joined shows where a backend gets cookies: a public listener
		// passes none on.
		"h2-ok-cookie-crumbs": onGUI,
	}
}

// onGUI sends the same frames to the GUI listener, by its name.
func onGUI(c clientCase) clientCase {
	c.Listener = "gui_allowed"
	all := append([]frame(nil), c.Frames...)
	for i, f := range all {
		all[i].Fields = append([][2]string(nil), f.Fields...)
		for j, field := range f.Fields {
			all[i].Fields[j][1] = strings.ReplaceAll(field[1], "{HOST}", "{GUI_HOST}")
		}
	}
	c.Frames = all
	return c
}
