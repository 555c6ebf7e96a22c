// Package cgroup finds out how much memory the system lets this process have, from
// the control groups that containers and systemd put it into.
//
// /proc/self/cgroup says which groups the process is in, /proc/self/mountinfo where
// their folders can be seen. Both versions are read, each group up to the top of
// what is mounted: a pod or a slice may be narrower than the container in it. The
// tightest limit counts.
//
// Processors are not looked at: Go's scheduler follows the limit of its group by
// itself, and goes on doing so when that changes.
package cgroup
