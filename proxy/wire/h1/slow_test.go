package h1

import (
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/trackgate/trackgate/proxy/wire"
)

// The readers in this file do what the package does, slowly and obviously: on
// whole text, with regular expressions. Fuzzing compares the two.

// What became of a text.
const (
	accepted = ""
	short    = "short"
	rejected = "refused"
)

var (
	slowMethod  = regexp.MustCompile(`^[A-Za-z0-9-]{1,16}$`)
	slowTarget  = regexp.MustCompile(`^[!-"$-~]+$`)
	slowAbs     = regexp.MustCompile(`^(?i:https?)://([^/?]+)(/.*)$`)
	slowVersion = regexp.MustCompile(`^HTTP/1\.[01]$`)
	slowToken   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	slowPlain   = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	slowControl = regexp.MustCompile("[\x00-\x08\x0a-\x1f\x7f]")
	slowNumber  = regexp.MustCompile(`^[0-9]{1,18}$`)
	slowName    = regexp.MustCompile(`^[A-Za-z0-9.-]{1,255}(?::([0-9]{1,5}))?$`)
	slowLiteral = regexp.MustCompile(`^\[([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)\](?::([0-9]{1,5}))?$`)
	slowStatus  = regexp.MustCompile(`^(HTTP/1\.[01]) ([1-5][0-9][0-9])(?: ((?s).*))?$`)
	slowSize    = regexp.MustCompile(`^([0-9A-Fa-f]{1,16})(?:;([\t -~]{0,256}))?$`)
	slowPartial = regexp.MustCompile(`^(?:|[0-9A-Fa-f]{1,16}(?:;[\t -~]{0,256})?\r?)$`)
)

// slowMessage is what both readers must agree about.
type slowMessage struct {
	Line, Fields            []string
	Length                  int64
	Close, Expects, Upgrade bool
}

// slowHead returns the lines of a head, and what became of it.
func slowHead(text string, lim wire.Limits) (lines []string, verdict string) {
	head, whole := text, false
	if i := strings.Index(text, "\r\n\r\n"); i >= 0 {
		head, whole = text[:i+4], true
	}
	first := strings.IndexByte(head, '\n')
	if first < 0 {
		first = len(head)
	}
	bare := strings.Count(head, "\n") != strings.Count(head, "\r\n")
	switch {
	case bare, strings.HasPrefix(head, "\r\n"), len(head) > lim.Head, first > lim.Target+64:
		return nil, rejected
	case !whole:
		return nil, short
	}
	return strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n"), accepted
}

// slowField is one field.
type slowField struct{ name, value string }

// slowFields reads field lines; those whose name is odd begin with "(".
func slowFields(lines []string, limit int, in section) (fields []slowField, shown []string, ok bool) {
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		value = strings.Trim(value, " \t")
		name = strings.ToLower(name)
		switch {
		case !ok, !slowToken.MatchString(name), slowControl.MatchString(value):
			return nil, nil, false
		case in == inRequest && (strings.Contains(name, "_") || !utf8.ValidString(value)):
			return nil, nil, false
		}
		gone := in != inResponse && !slowPlain.MatchString(name)
		if in == inTrailer {
			gone = gone || !utf8.ValidString(value) || !wire.Lookup([]byte(name)).InTrailer()
		}
		line = name + ": " + value
		if gone {
			line = "(" + line + ")"
		}
		fields, shown = append(fields, slowField{name, value}), append(shown, line)
	}
	return fields, shown, len(lines) <= limit
}

// slowValues returns the values of the fields of a name.
func slowValues(fields []slowField, name string) (values []string) {
	for _, f := range fields {
		if f.name == name {
			values = append(values, f.value)
		}
	}
	return values
}

// slowTokens returns the elements of all Connection fields, in lower case.
func slowTokens(fields []slowField) (tokens []string, ok bool) {
	values := slowValues(fields, "connection")
	for _, token := range strings.Split(strings.Join(values, ","), ",") {
		tokens = append(tokens, strings.ToLower(strings.Trim(token, " \t")))
	}
	return tokens, len(strings.Join(values, "")) <= maxConnection
}

// slowLength reads the length that fields say; none is otherwise.
func slowLength(fields []slowField, version string, otherwise int64) (int64, bool) {
	lengths, codings := slowValues(fields, "content-length"), slowValues(fields, "transfer-encoding")
	switch {
	case len(lengths)+len(codings) == 0:
		return otherwise, true
	case len(lengths)+len(codings) > 1:
		return 0, false
	case len(codings) == 1:
		return wire.Unknown, strings.EqualFold(codings[0], "chunked") && isASCII(codings[0]) && version == "HTTP/1.1"
	}
	n, err := strconv.ParseInt(lengths[0], 10, 64)
	return n, err == nil && slowNumber.MatchString(lengths[0])
}

func isASCII(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r > 0x7f }) }

// slowHost is validHost.
func slowHost(host string) bool {
	if m := slowName.FindStringSubmatch(host); m != nil {
		return slowPort(m[1])
	}
	m := slowLiteral.FindStringSubmatch(host)
	return m != nil && net.ParseIP(m[1]) != nil && slowPort(m[2])
}

func slowPort(port string) bool {
	n, err := strconv.Atoi(port)
	return port == "" || err == nil && n < 1<<16
}

// slowRequest reads a request head.
func slowRequest(text string, lim wire.Limits) (m slowMessage, verdict string) {
	lines, verdict := slowHead(text, lim)
	if verdict != accepted {
		return m, verdict
	}
	fields, shown, ok := slowFields(lines[1:], lim.Fields, inRequest)
	words := strings.Split(lines[0], " ")
	if !ok || len(words) != 3 || !slowMethod.MatchString(words[0]) || !slowVersion.MatchString(words[2]) {
		return m, rejected
	}
	target, hosts := words[1], slowValues(fields, "host")
	if !slowTarget.MatchString(target) || len(target) > lim.Target || len(hosts) != 1 || !slowHost(hosts[0]) {
		return m, rejected
	}
	if abs := slowAbs.FindStringSubmatch(target); abs != nil && strings.EqualFold(abs[1], hosts[0]) {
		target = abs[2]
	}
	if target[0] != '/' && (target != "*" || words[0] != "OPTIONS") {
		return m, rejected
	}
	m.Line, m.Fields = []string{words[0], target, hosts[0], words[2]}, shown
	if m.Length, ok = slowLength(fields, words[2], 0); !ok {
		return m, rejected
	}
	return m, m.slowOptions(fields)
}

// slowOptions reads Connection, Expect and Upgrade.
func (m *slowMessage) slowOptions(fields []slowField) (verdict string) {
	tokens, ok := slowTokens(fields)
	expects, upgrades := slowValues(fields, "expect"), slowValues(fields, "upgrade")
	modern := m.Line[3] == "HTTP/1.1"
	m.Close = !modern || slices.Contains(tokens, "close")
	m.Expects = modern && len(expects) > 0 && m.Length != 0
	m.Upgrade = modern && m.Line[0] == "GET" && m.Length == 0 && slices.Contains(tokens, "upgrade") &&
		len(upgrades) == 1 && strings.ToLower(upgrades[0]) == "websocket"
	if !ok || modern && len(expects) > 0 && (len(expects) > 1 || strings.ToLower(expects[0]) != "100-continue") {
		return rejected
	}
	return accepted
}

// slowResponse reads the head of an answer. Close also says that the body ends
// with the connection; Line ends in "chunked" if it is.
func slowResponse(text, method string) (m slowMessage, verdict string) {
	lines, verdict := slowHead(text, ResponseLimits)
	if verdict != accepted {
		return m, verdict
	}
	fields, shown, ok := slowFields(lines[1:], ResponseLimits.Fields, inResponse)
	line := slowStatus.FindStringSubmatch(lines[0])
	if !ok || line == nil || slowControl.MatchString(line[3]) {
		return m, rejected
	}
	m.Line, m.Fields = line[1:], shown
	tokens, short := slowTokens(fields)
	if m.Length, ok = slowLength(fields, line[1], wire.Unknown); !ok || !short {
		return m, rejected
	}
	status, _ := strconv.Atoi(line[2])
	coded := len(slowValues(fields, "transfer-encoding")) > 0
	if coded {
		m.Line = append(m.Line, "chunked")
	}
	if (status < 200 || status == 204) && (coded || m.Length > 0) {
		return m, rejected
	}
	counted := len(slowValues(fields, "content-length")) > 0
	m.Close = line[1] == "HTTP/1.0" || slices.Contains(tokens, "close") || !coded && !counted && wire.HasBody(status, []byte(method))
	return m, accepted
}

// slowChunks reads a body in chunks.
type slowChunks struct {
	data     string
	trailers []string
	ext      int
	excess   int64
}

// read returns what stands behind the body.
func (s *slowChunks) read(coded string) (rest, verdict string) {
	for {
		line, rest, whole := strings.Cut(coded, "\n")
		if size := strings.TrimSuffix(line, "\r"); !slowPartial.MatchString(line) || s.quoted(line) || s.tooMuch(size) {
			return "", rejected
		}
		if !whole {
			return "", short
		}
		n, ok := s.size(line)
		if !ok {
			return "", rejected
		}
		if n == 0 {
			return s.trailer(rest)
		}
		end := rest[min(n, uint64(len(rest))):]
		s.data += rest[:len(rest)-len(end)]
		if !strings.HasPrefix(end, "\r\n") {
			if strings.HasPrefix("\r\n", end) {
				return "", short
			}
			return "", rejected
		}
		coded = end[2:]
	}
}

// quoted reports whether a line ends inside of a quoted string.
func (s *slowChunks) quoted(line string) bool {
	_, ext, _ := strings.Cut(line, ";")
	ext, ended := strings.CutSuffix(ext, "\r")
	open := false
	for i := 0; i < len(ext); i++ {
		switch {
		case ext[i] == '"':
			open = !open
		case ext[i] == '\\' && open:
			i++
		}
	}
	return open && ended
}

// tooMuch reports whether the size is, or this extension with all the others.
func (s *slowChunks) tooMuch(line string) bool {
	size, ext, _ := strings.Cut(line, ";")
	_, err := strconv.ParseUint("0"+size, 16, 63)
	return err != nil || s.ext+len(ext) > maxChunkExtensions
}

// size reads a whole line of a chunk's size.
func (s *slowChunks) size(line string) (uint64, bool) {
	line, crlf := strings.CutSuffix(line, "\r")
	m := slowSize.FindStringSubmatch(line)
	if m == nil || !crlf {
		return 0, false
	}
	s.ext += len(m[2])
	n, _ := strconv.ParseUint(m[1], 16, 63)
	s.excess = max(0, s.excess+int64(len(m[1])+len(m[2]))+4-16-2*int64(min(n, 1<<20)))
	return n, s.excess <= maxChunkExcess
}

// trailer reads the trailer section.
func (s *slowChunks) trailer(text string) (rest, verdict string) {
	if strings.HasPrefix(text, "\r\n") {
		return text[2:], accepted
	}
	section, rest, whole := strings.Cut(text, "\r\n\r\n")
	if whole {
		section += "\r\n\r\n"
	}
	switch bare := strings.Count(section, "\n") != strings.Count(section, "\r\n"); {
	case bare, len(section) > maxTrailer:
		return "", rejected
	case !whole:
		return "", short
	}
	lines := strings.Split(strings.TrimSuffix(section, "\r\n\r\n"), "\r\n")
	var ok bool
	if _, s.trailers, ok = slowFields(lines, maxTrailerFields, inTrailer); !ok {
		return "", rejected
	}
	return rest, accepted
}
