package accesslog

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/reason"
)

// sheet is an output that knows whether it may still be written to.
type sheet struct {
	text   bytes.Buffer
	closed bool
}

func (s *sheet) Write(p []byte) (int, error) {
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	return s.text.Write(p)
}

func TestLinesOfBeforeGoToTheOldOutput(t *testing.T) {
	var old, other sheet
	l := New(Options{Output: &old, Sample: 1})
	stop := start(l)
	l.Write(pageView())
	l.SetOutput(&other)
	old.closed = true
	l.Write(refusedInTheGUI())
	stop()

	assert.Contains(t, old.text.String(), `"listener":"public"`)
	assert.Equal(t, 1, strings.Count(old.text.String(), "\n"))
	assert.Contains(t, other.text.String(), `"listener":"gui"`)
	assert.Equal(t, 1, strings.Count(other.text.String(), "\n"))
	assert.Zero(t, l.Dropped())
}

func TestAnOutputCanBeReplacedBeforeAndAfterRun(t *testing.T) {
	var first, second, third sheet
	l := New(Options{Output: &first, Sample: 1})
	l.Write(pageView())
	l.SetOutput(&second)
	l.Write(pageView())
	start(l)()
	l.SetOutput(&third)

	assert.Equal(t, 1, strings.Count(first.text.String(), "\n"))
	assert.Equal(t, 1, strings.Count(second.text.String(), "\n"))
	assert.Zero(t, third.text.Len())
}

// The outputs are closed as soon as SetOutput has returned, while others log.
func TestReplacingLosesNothingAndTearsNothing(t *testing.T) {
	const writers, lines, outputs = 8, 2000, 50
	sheets := []*sheet{{}}
	l := New(Options{Output: sheets[0], Sample: 1})
	stop := start(l)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range lines {
				l.Write(pageView())
			}
		})
	}
	for range outputs {
		s := &sheet{}
		l.SetOutput(s)
		sheets[len(sheets)-1].closed = true
		sheets = append(sheets, s)
	}
	all.Wait()
	stop()

	whole, total := lineOf(pageView()), 0
	for _, s := range sheets {
		text := s.text.String()
		n := strings.Count(text, "\n")
		require.Equal(t, strings.Repeat(whole, n), text)
		total += n
	}
	assert.EqualValues(t, writers*lines, total+int(l.Dropped()), "each line is written once, or had no room and was counted")
	assert.Less(t, l.Dropped(), uint64(writers*lines))
}

func lineOf(e *Entry) string {
	var l line
	l.format(e)
	return string(l.buf)
}

func TestATornLineIsEndedBeforeItsOutputIsLeft(t *testing.T) {
	full := true
	var old, other bytes.Buffer
	l := New(Options{Sample: 1, Output: writerFunc(func(p []byte) (int, error) {
		if full {
			p = p[:10]
		}
		return old.Write(p)
	})})
	l.Write(pageView())
	l.flush()
	full = false
	l.SetOutput(&other)
	l.Write(pageView())
	l.flush()

	assert.Equal(t, lineOf(pageView())[:10]+"\n", old.String())
	assert.Equal(t, lineOf(pageView()), other.String(), "the new one has nothing to do with it")
	assert.EqualValues(t, 1, l.Dropped())
}

func TestANewOutputEndsAFailure(t *testing.T) {
	var changes []error
	l := New(Options{
		Sample: 1, Notify: func(err error) { changes = append(changes, err) },
		Output: writerFunc(func([]byte) (int, error) { return 0, errors.New("gone") }),
	})
	l.Write(pageView())
	l.SetOutput(&bytes.Buffer{})
	require.Len(t, changes, 1)
	assert.EqualError(t, changes[0], "access log: gone")

	l.Write(pageView())
	l.flush()
	assert.Equal(t, []error{changes[0], nil}, changes)
}

func TestTheSampleCanBeChanged(t *testing.T) {
	var out bytes.Buffer
	l := New(Options{Output: &out, Sample: 1})
	for _, c := range []struct {
		share float64
		want  int
	}{{1, 100}, {0.1, 10}, {0, 0}, {0.5, 50}, {1, 100}} {
		out.Reset()
		l.SetSample(c.share)
		for range 100 {
			l.Write(pageView())
		}
		l.flush()
		assert.Equal(t, c.want, strings.Count(out.String(), "\n"), "%v", c.share)
	}
}

func TestNoRefusalAndNoFailureIsSampledAway(t *testing.T) {
	for r := range reason.Count {
		for _, status := range []int{0, 101, 200, 201, 226, 304, 400, 404, 422, 429, 499, 500, 502, 503, 599} {
			e := &Entry{Status: status, Reason: r}
			sampled := r == reason.OK && status < 500
			var out bytes.Buffer
			l := New(Options{Output: &out})
			l.Write(e)
			assert.Equal(t, sampled, written(l, &out) == "", "%s %d", r, status)
			assert.Equal(t, sampled, level(e) == "info", "%s %d: the level tells them apart", r, status)
		}
	}
}

func TestATraceIsShownWhereThereIsOne(t *testing.T) {
	e := pageView()
	assert.NotContains(t, lineOf(e), "trace_id")
	e.TraceID = []byte("4bf92f3577b34da6a3ce929d0e0e4736")
	assert.Contains(t, lineOf(e), `,"request_id":"01JV9X4Q7M3K8W2T5Y6Z0ABCDE","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","user_agent":"`)
}
