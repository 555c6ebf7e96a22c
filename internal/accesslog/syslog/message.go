package syslog

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// facility is local0 (RFC 5424, section 6.2.1).
const facility = 16

// The severities that the levels of lines become.
const (
	severityError   = 3
	severityWarning = 4
	severityInfo    = 6
)

// stamped is where the time stands in a line, and levelled what follows it. Only an
// exchange in another millennium looks different.
const (
	stamped  = `{"time":"`
	stampLen = len("2006-01-02T15:04:05.000Z")
	levelled = `","level":"`
)

// writer makes messages of lines.
type writer struct {
	tag   string // of local messages
	head  string // what stands between time and text in those of RFC 5424
	local bool
}

func newWriter(local bool) writer {
	pid := strconv.Itoa(os.Getpid())
	return writer{tag: "trackgate[" + pid + "]: ", head: " " + hostname() + " trackgate " + pid + " access - ", local: local}
}

// hostname is "-" where the machine has none that can be shown (RFC 5424, section 6).
func hostname() string {
	name, err := os.Hostname()
	if err != nil || name == "" || len(name) > 255 {
		return "-"
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return "-"
		}
	}
	return name
}

// append appends the message of a line without its line feed.
func (w *writer) append(b, line []byte, now time.Time) []byte {
	stamp, severity := read(line)
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(facility<<3|severity), 10)
	b = append(b, '>')
	if w.local {
		b = now.AppendFormat(b, time.Stamp)
		b = append(append(b, ' '), w.tag...)
		return append(b, line...)
	}
	b = append(b, '1', ' ')
	b = append(append(b, stamp...), w.head...)
	return append(b, line...)
}

// read returns the time of a line, "-" for one that cannot be read, and how grave it is.
func read(line []byte) (stamp []byte, severity int) {
	rest, ok := bytes.CutPrefix(line, []byte(stamped))
	if !ok || len(rest) < stampLen {
		return []byte("-"), severityInfo
	}
	stamp, rest = rest[:stampLen], rest[stampLen:]
	level, ok := bytes.CutPrefix(rest, []byte(levelled))
	switch {
	case !ok:
		return []byte("-"), severityInfo
	case bytes.HasPrefix(level, []byte("warn")):
		return stamp, severityWarning
	case bytes.HasPrefix(level, []byte("error")):
		return stamp, severityError
	}
	return stamp, severityInfo
}
