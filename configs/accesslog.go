package configs

import (
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AccessLog is where the line of each exchange goes.
type AccessLog struct {
	Output string  // stdout, stderr, off, syslog, a file's path, or the URL of a syslog
	Sample float64 // 0 to 1 of the exchanges that went well; the others are always written
	Rotate Rotate  // of a file
}

// Rotate says when a file is put aside and another one begun. Without Size and Age it
// never is.
type Rotate struct {
	Size     Size          // that the file must not exceed; 0: any
	Age      time.Duration // of its first line; 0: any
	Keep     int           // so many that were put aside, the newest
	Compress bool          // those, by gzip
}

// On reports whether files are put aside at all.
func (r Rotate) On() bool { return r.Size > 0 || r.Age > 0 }

// IsFile reports whether the output is a file.
func (a AccessLog) IsFile() bool { return filepath.IsAbs(a.Output) }

// syslogPort is where a syslog is listened for (RFC 5426, section 3.3).
const syslogPort = 514

// Syslog returns where the syslog is reached that the output names: by unix, a path;
// by udp or tcp, host:port. ok is false for another output.
func (a AccessLog) Syslog() (network, address string, ok bool) {
	if a.Output == "syslog" {
		return "unix", "/dev/log", true
	}
	network, rest, ok := strings.Cut(a.Output, "://")
	switch {
	case !ok:
		return "", "", false
	case network == "unix":
		return network, rest, filepath.IsAbs(rest)
	case network == "udp" || network == "tcp":
		host, port, ok := parseAuthority(rest, syslogPort)
		return network, net.JoinHostPort(host, strconv.Itoa(port)), ok
	}
	return "", "", false
}

// Bounds of a rotation. A piece of the log is up to 256 KiB, and is never split.
const (
	leastRotateSize, mostRotateSize = MiB, 1024 * GiB
	leastRotateAge, mostRotateAge   = time.Hour, 3650 * day
)

// accessLog checks where lines go and how long files are kept.
func (c compiler) accessLog(key string, a AccessLog) AccessLog {
	words := []string{"stdout", "stderr", "off", "syslog"}
	if _, _, ok := a.Syslog(); !ok && !slices.Contains(words, a.Output) && !a.IsFile() {
		c.wrong(key+".output", strings.Join(words, ", ")+", the absolute path of a file, or the URL of a syslog like udp://host:514,"+
			" tcp://host:514 or unix:///path", nearest(a.Output, words))
	}
	between(c, key+".sample", a.Sample, 0, 1)
	c.rotate(key+".rotate", a.Rotate, a.IsFile())
	return a
}

// rotate checks when a file is put aside. What is no file has no size and no age.
func (c compiler) rotate(key string, r Rotate, file bool) {
	if r.On() && !file {
		set := "size"
		if r.Size == 0 {
			set = "age"
		}
		c.wrong(child(key, set), "0, because only a file can be put aside (log.access.output is none)", "")
	}
	if r.Size != 0 {
		between(c, key+".size", r.Size, leastRotateSize, mostRotateSize)
	}
	if r.Age != 0 {
		between(c, key+".age", r.Age, leastRotateAge, mostRotateAge)
	}
	between(c, key+".keep", r.Keep, 1, 10_000)
}
