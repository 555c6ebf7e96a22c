package accesslog

import (
	"bytes"
	"net/netip"
	"strconv"

	"github.com/trackgate/trackgate/internal/reason"
)

// How many bytes of the client's text a line shows, before escaping.
const (
	methodCap    = 16
	hostCap      = 255
	pathCap      = 256
	requestIDCap = 128
	traceIDCap   = 32
	userAgentCap = 256
)

// line is the workbench of one line, kept for the next one.
type line struct {
	buf   []byte
	stamp stamp
}

// format writes e into l.buf, the line feed included.
func (l *line) format(e *Entry) {
	b := append(l.buf[:0], `{"time":"`...)
	b = l.stamp.append(b, e.Time)
	b = append(b, `","level":"`...)
	b = append(b, level(e)...)
	b = appendRequest(b, e)
	b = appendAnswer(b, e)
	b = appendBackend(b, e)
	b = appendWord(b, `,"tls":"`, e.TLS)
	b = appendText(b, `,"request_id":"`, e.RequestID, requestIDCap)
	if len(e.TraceID) > 0 {
		b = appendText(b, `,"trace_id":"`, e.TraceID, traceIDCap)
	}
	b = appendText(b, `,"user_agent":"`, e.UserAgent, userAgentCap)
	l.buf = append(b, '}', '\n')
}

// level tells refusals and failures from what went well, and so what is always written
// from what may be sampled. The status alone says less: an answer that began with 200
// may break off.
func level(e *Entry) string {
	r := e.Reason
	switch {
	case wentWell(e):
		return "info"
	case r != reason.OK && r < reason.Count && r.Status() < 500:
		return "warn"
	default:
		return "error"
	}
}

func appendRequest(b []byte, e *Entry) []byte {
	b = appendWord(b, `","listener":"`, e.Listener)
	b = append(b, `,"client":"`...)
	b = appendAddr(b, e.Client)
	b = appendWord(b, `","protocol":"`, e.Protocol)
	b = appendText(b, `,"method":"`, e.Method, methodCap)
	b = appendText(b, `,"host":"`, e.Host, hostCap)
	return appendText(b, `,"path":"`, WithoutQuery(e.Path), pathCap)
}

func appendAnswer(b []byte, e *Entry) []byte {
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(e.Status), 10)
	b = append(b, `,"reason":"`...)
	b = append(b, e.Reason.String()...)
	b = append(b, `","bytes_in":`...)
	b = strconv.AppendInt(b, e.BytesIn, 10)
	b = append(b, `,"bytes_out":`...)
	b = strconv.AppendInt(b, e.BytesOut, 10)
	b = append(b, `,"duration_seconds":`...)
	return appendSeconds(b, e.Duration)
}

func appendBackend(b []byte, e *Entry) []byte {
	b = appendWord(b, `,"backend":"`, e.Backend)
	b = append(b, `,"attempts":`...)
	b = strconv.AppendInt(b, int64(e.Attempts), 10)
	b = append(b, `,"backend_seconds":`...)
	b = appendSeconds(b, e.BackendDuration)
	b = append(b, `,"reused":`...)
	return strconv.AppendBool(b, e.Reused)
}

// appendAddr shows an IPv4 address in its short form however it came, and no
// zone: a zone is free text, and behind a trusted proxy the client's own.
func appendAddr(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	return a.Unmap().WithZone("").AppendTo(b)
}

// WithoutQuery makes sure that no query is told whatever the caller does:
// it may carry personal data.
func WithoutQuery(path []byte) []byte {
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		return path[:i]
	}
	return path
}
