package accesslog

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

func pageView() *Entry {
	return &Entry{
		Time:            time.Date(2026, 3, 1, 12, 0, 0, 42_900_000, time.UTC),
		Listener:        "public",
		Client:          netip.MustParseAddr("203.0.113.7"),
		Protocol:        "HTTP/1.1",
		Method:          []byte("POST"),
		Host:            []byte("track.example.com"),
		Path:            []byte("/track"),
		Status:          200,
		BytesIn:         995,
		BytesOut:        258,
		Duration:        1_234_567 * time.Nanosecond,
		Backend:         "10.0.0.11:8686",
		Attempts:        1,
		BackendDuration: 987 * time.Microsecond,
		Reused:          true,
		TLS:             "1.3",
		RequestID:       []byte("01JV9X4Q7M3K8W2T5Y6Z0ABCDE"),
		UserAgent:       []byte("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"),
	}
}

// written returns what l writes when it ends now.
func written(l *Log, out *bytes.Buffer) string {
	l.flush()
	return out.String()
}

func TestLinesAreAsTheContractSays(t *testing.T) {
	var out bytes.Buffer
	l := New(Options{Output: &out, Sample: 1})

	l.Write(pageView())
	l.Write(refusedInTheGUI())
	l.Write(brokenOff())
	l.Write(hostile())
	l.Write(&Entry{})

	golden, err := os.ReadFile(filepath.Join("testdata", "lines.golden"))
	require.NoError(t, err)
	assert.Equal(t, string(golden), written(l, &out))
}

func refusedInTheGUI() *Entry {
	return &Entry{
		Time:     time.Date(2026, 3, 1, 13, 0, 0, 0, time.FixedZone("CET", 3600)),
		Listener: "gui", Client: netip.MustParseAddr("::ffff:198.51.100.9"), Protocol: "HTTP/2.0",
		Method: []byte("GET"), Host: []byte("tracardi.example.com"), Path: []byte("/?token=secret"),
		Status: 403, Reason: reason.ClientNotAllowed, BytesOut: 80, Duration: 15 * time.Microsecond, TLS: "1.2",
	}
}

func brokenOff() *Entry {
	e := pageView()
	e.Reason, e.Attempts, e.Reused = reason.BackendClosed, 2, false
	e.Client = netip.MustParseAddr("2001:db8::7")
	e.Duration, e.BackendDuration = 75*time.Second+1500*time.Microsecond, -time.Second
	return e
}

func hostile() *Entry {
	return &Entry{
		Time: time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC), Listener: `a "name"`,
		Client: netip.MustParseAddr("fe80::1%\",\"status\":200"), Protocol: "HTTP/1.1",
		Method: []byte("BREW-COFFEE-WITH-MILK"), Host: []byte("\x1b[31mred\x7f"), Path: []byte("/a\"b\\c\r\nd\x80\xffé€😀"),
		Status: 400, Reason: reason.Malformed,
		UserAgent: bytes.Repeat([]byte("€"), 100), RequestID: bytes.Repeat([]byte("x"), 129),
	}
}

func TestOnlyWhatWentWellIsSampled(t *testing.T) {
	for _, c := range []struct {
		sample float64
		reason reason.Reason
		want   int
	}{
		{1, reason.OK, 1000},
		{0.5, reason.OK, 500},
		{0.1, reason.OK, 100},
		{0.001, reason.OK, 1},
		{0, reason.OK, 0},
		{-1, reason.OK, 0},
		{2, reason.OK, 1000},
		{0, reason.NotExposed, 1000},
		{0, reason.ConnectFailed, 1000},
	} {
		t.Run(fmt.Sprint(c.sample, c.reason), func(t *testing.T) {
			var out bytes.Buffer
			l := New(Options{Output: &out, Sample: c.sample})
			for range 10 {
				for range 100 {
					l.Write(&Entry{Reason: c.reason})
				}
				l.flush()
			}
			assert.Equal(t, c.want, bytes.Count(out.Bytes(), []byte("\n")))
			assert.Zero(t, l.Dropped(), "what is not chosen is not lost")
		})
	}
}

func TestTheFirstOfASampleIsWritten(t *testing.T) {
	var out bytes.Buffer
	l := New(Options{Output: &out, Sample: 0.01})
	l.Write(pageView())
	assert.Contains(t, written(l, &out), `"listener":"public"`)
}

func TestManyWritersLoseNothingAndTearNothing(t *testing.T) {
	var out bytes.Buffer
	l := New(Options{Output: &out, Sample: 1})
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 50 {
				l.Write(pageView())
			}
		})
	}
	writers.Wait()

	lines := bytes.SplitAfter([]byte(written(l, &out)), []byte("\n"))
	assert.Len(t, lines, 401)
	for _, line := range lines[:400] {
		assert.Equal(t, lines[0], line)
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("under the race detector sync.Pool drops what it is given, on purpose")
	}
	l := New(Options{Output: io.Discard, Sample: 1})
	for name, e := range map[string]*Entry{"page view": pageView(), "refused": refusedInTheGUI(), "over-long": longText()} {
		assert.Zero(t, testing.AllocsPerRun(200, func() { l.Write(e) }), name)
	}
}

func longText() *Entry {
	e := pageView()
	e.Path, e.UserAgent = bytes.Repeat([]byte{0xff}, 8192), bytes.Repeat([]byte("é"), 8192)
	return e
}

func BenchmarkWrite(b *testing.B) {
	l := New(Options{Output: io.Discard, Sample: 1})
	e := pageView()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		e.Time = e.Time.Add(20 * time.Microsecond)
		l.Write(e)
		if n%256 == 0 {
			l.flush()
		}
	}
	require.Zero(b, l.Dropped())
}
