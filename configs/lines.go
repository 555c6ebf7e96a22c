package configs

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// lineReader hands the YAML parser one line at a time. Its errors often name
// the line where a block began; how far it has read tells where it stumbled.
type lineReader struct {
	data  []byte
	lines int
	ended bool
}

// Read returns at most the rest of one line.
func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		r.ended = true
		return 0, io.EOF
	}
	n := min(len(p), len(r.data))
	if i := bytes.IndexByte(r.data[:n], '\n'); i >= 0 {
		n = i + 1
	}
	copy(p, r.data[:n])
	if r.data = r.data[n:]; p[n-1] == '\n' || len(r.data) == 0 {
		r.lines++
	}
	return n, nil
}

// locate splits an error of the parser into what it says and the line. The
// parser knows better where something begins that never ends.
func (r *lineReader) locate(err error) (said string, line int) {
	said = strings.TrimPrefix(err.Error(), "yaml: ")
	line = r.lines
	if rest, ok := strings.CutPrefix(said, "line "); ok {
		number, after, _ := strings.Cut(rest, ": ")
		said = after
		if named, err := strconv.Atoi(number); err == nil && (r.ended || strings.Contains(said, "could not find")) {
			line = named
		}
	}
	return said, max(line, 1)
}
