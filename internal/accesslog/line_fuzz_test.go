package accesslog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// shape is a line as its readers see it.
type shape struct {
	Time            string      `json:"time"`
	Level           string      `json:"level"`
	Listener        string      `json:"listener"`
	Client          string      `json:"client"`
	Protocol        string      `json:"protocol"`
	Method          string      `json:"method"`
	Host            string      `json:"host"`
	Path            string      `json:"path"`
	Status          int         `json:"status"`
	Reason          string      `json:"reason"`
	BytesIn         int64       `json:"bytes_in"`
	BytesOut        int64       `json:"bytes_out"`
	DurationSeconds json.Number `json:"duration_seconds"`
	Backend         string      `json:"backend"`
	Attempts        int         `json:"attempts"`
	BackendSeconds  json.Number `json:"backend_seconds"`
	Reused          bool        `json:"reused"`
	TLS             string      `json:"tls"`
	RequestID       string      `json:"request_id"`
	TraceID         string      `json:"trace_id"`
	UserAgent       string      `json:"user_agent"`
}

// FuzzLine says: whatever an exchange was, its line is one line of printable
// ASCII, valid JSON, and tells again what went in.
func FuzzLine(f *testing.F) {
	f.Add([]byte("Mozilla/5.0"), "public", int64(1_772_366_400_042), int64(1_234_567), 200, uint8(0), true)
	f.Add([]byte("\"},{\n\\u0000\x7f\x80é€😀\xed\xa0\x80"), "a \"b\"\n", int64(-1), int64(-1), -7, uint8(8), false)
	f.Add(bytes.Repeat([]byte("😀"), 200), "ü", int64(253402300799999), int64(1)<<62, 599, uint8(255), true)
	f.Add([]byte("000000000000\x99\u00a3\x98\xb2\x98"), "cut after a character, amid bytes that are none", int64(0), int64(0), 0, uint8(1), false)
	f.Add([]byte("/a?b"), "", int64(0), int64(0), 0, uint8(reason.Count), false)
	f.Fuzz(func(t *testing.T, text []byte, word string, at, took int64, status int, why uint8, reused bool) {
		client, _ := netip.AddrFromSlice(text)
		e := &Entry{
			Time: time.UnixMilli(at % 253402300800000), Listener: word, Client: client, Protocol: word,
			Method: text, Host: text, Path: text, Status: status, Reason: reason.Reason(why),
			BytesIn: took, BytesOut: at, Duration: time.Duration(took), Backend: word, Attempts: status,
			BackendDuration: time.Duration(at), Reused: reused, TLS: word, RequestID: text, TraceID: text, UserAgent: text,
		}
		var l line
		l.format(e)
		assertTells(t, string(l.buf), e)
	})
}

func assertTells(t *testing.T, line string, e *Entry) {
	text, ended := strings.CutSuffix(line, "\n")
	require.True(t, ended)
	require.Empty(t, strings.Trim(text, printable()), "only printable ASCII")

	var got shape
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&got), text)
	want := expected(e)
	if got.Time[0] == '-' {
		want.Time = got.Time // before the year 0, which RFC 3339 cannot say
	}
	assert.Equal(t, want, got)
}

func printable() string {
	var s strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		s.WriteByte(c)
	}
	return s.String()
}

// expected is the slow and obvious twin of line.format.
func expected(e *Entry) shape {
	client := ""
	if e.Client.IsValid() {
		client = e.Client.Unmap().WithZone("").String()
	}
	path, _, _ := strings.Cut(string(e.Path), "?")
	return shape{
		Time: e.Time.UTC().Format("2006-01-02T15:04:05.000Z"), Level: level(e), Listener: latin(e.Listener),
		Client: client, Protocol: latin(e.Protocol), Method: shown(string(e.Method), 16), Host: shown(string(e.Host), 255),
		Path: shown(path, 256), Status: e.Status, Reason: e.Reason.String(), BytesIn: e.BytesIn, BytesOut: e.BytesOut,
		DurationSeconds: seconds(e.Duration), Backend: latin(e.Backend), Attempts: e.Attempts,
		BackendSeconds: seconds(e.BackendDuration), Reused: e.Reused, TLS: latin(e.TLS),
		RequestID: shown(string(e.RequestID), 128), TraceID: shown(string(e.TraceID), 32), UserAgent: shown(string(e.UserAgent), 256),
	}
}

func seconds(d time.Duration) json.Number {
	d = max(d, 0)
	return json.Number(fmt.Sprintf("%d.%06d", d/time.Second, d%time.Second/time.Microsecond))
}

// latin takes bytes that are not UTF-8 for the characters of the same number.
func latin(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			r = rune(s[0])
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// shown is as much of s as fits into most bytes without half a character.
func shown(s string, most int) string {
	n := 0
	for n < len(s) {
		_, size := utf8.DecodeRuneInString(s[n:])
		if n+size > most {
			return latin(s[:n]) + "…"
		}
		n += size
	}
	return latin(s)
}
