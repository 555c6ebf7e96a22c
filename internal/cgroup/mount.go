package cgroup

import (
	"slices"
	"strconv"
	"strings"
)

// hierarchy is a tree of groups that may limit memory, and the process's place in it.
type hierarchy struct {
	system string // type of its file system
	option string // that its mounts have, beside those of other trees; "" for any
	group  string // of the process
	file   string // with the limit
}

// hierarchies reads /proc/self/cgroup, see cgroups(7): lines like
// 4:memory:/docker/1f for version 1 and 0::/init.scope for version 2.
func hierarchies(groups string) []hierarchy {
	var found []hierarchy
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(parts) != 3 || !strings.HasPrefix(parts[2], "/"):
		case parts[0] == "0" && parts[1] == "":
			found = append(found, hierarchy{system: "cgroup2", group: parts[2], file: "memory.max"})
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			found = append(found, hierarchy{system: "cgroup", option: "memory", group: parts[2], file: "memory.limit_in_bytes"})
		}
	}
	return found
}

// on reports whether m shows the groups of h.
func (h hierarchy) on(m mount) bool {
	return m.system == h.system && (h.option == "" || slices.Contains(m.options, h.option))
}

// mount is a file system that can be seen.
type mount struct {
	root    string // the folder of it that can be seen
	point   string // where
	system  string // its type
	options []string
}

// parseMount reads a line of /proc/self/mountinfo, see proc_pid_mountinfo(5):
//
//	36 35 98:0 /root /point rw,noatime master:1 - cgroup cgroup rw,memory
func parseMount(line string) (mount, bool) {
	place, system, ok := strings.Cut(line, " - ")
	first, second := strings.Fields(place), strings.Fields(system)
	if !ok || len(first) < 5 || len(second) < 3 {
		return mount{}, false
	}
	m := mount{system: second[0], options: strings.Split(second[2], ",")}
	m.root, m.point = unescape(first[3]), unescape(first[4])
	return m, true
}

// below returns where a group is, seen from the mount's point. One that is outside
// of what is mounted cannot be reached, nor one that is written as above it (/..),
// which is how a namespace shows what is not in it.
func (m mount) below(group string) (string, bool) {
	rest, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/"))
	inside := ok && (rest == "" || rest[0] == '/')
	return rest, inside && rest != "/.." && !strings.HasPrefix(rest, "/../")
}

// unescape undoes what the kernel does to blanks and backslashes: \040 is a space.
func unescape(text string) string {
	var plain strings.Builder
	for len(text) > 0 {
		if n := 4; text[0] == '\\' && len(text) >= n {
			if code, err := strconv.ParseUint(text[1:n], 8, 8); err == nil {
				plain.WriteByte(byte(code))
				text = text[n:]
				continue
			}
		}
		plain.WriteByte(text[0])
		text = text[1:]
	}
	return plain.String()
}
