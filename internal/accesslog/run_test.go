package accesslog

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// writerFunc is an output made of one function.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// start runs l and returns what ends it and waits.
func start(l *Log) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		l.Run(ctx)
		close(done)
	}()
	return func() {
		cancel()
		<-done
	}
}

// pieces is an output that hands on each piece it is given.
func pieces() (io.Writer, <-chan string) {
	written := make(chan string, 16)
	return writerFunc(func(p []byte) (int, error) {
		written <- string(p)
		return len(p), nil
	}), written
}

func TestALineIsWrittenWithin200Milliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, written := pieces()
		l := New(Options{Output: out, Sample: 1})
		defer start(l)()

		began := time.Now()
		l.Write(pageView())

		assert.Equal(t, 1, strings.Count(<-written, "\n"))
		assert.LessOrEqual(t, time.Since(began), 200*time.Millisecond)
	})
}

func TestAHalfFullBufferIsWrittenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, written := pieces()
		l := New(Options{Output: out, Sample: 1})
		defer start(l)()

		began := time.Now()
		for size := 0; size < bufferSize/2; size += 400 {
			l.Write(pageView())
		}

		assert.GreaterOrEqual(t, len(<-written), bufferSize/2)
		assert.Zero(t, time.Since(began), "it did not wait for the 200 ms")
	})
}

func TestTheRestIsWrittenAtTheEndAndNothingAfterIt(t *testing.T) {
	var out bytes.Buffer
	l := New(Options{Output: &out, Sample: 1})
	stop := start(l)
	for range 3 {
		l.Write(pageView())
	}
	stop()
	assert.Equal(t, 3, strings.Count(out.String(), "\n"))

	l.Write(pageView())
	assert.EqualValues(t, 1, l.Dropped(), "a line after the end is counted as lost")
}

func TestAnOutputThatBlocksNeverBlocksAnExchange(t *testing.T) {
	entered, release := make(chan struct{}, 16), make(chan struct{})
	var out bytes.Buffer
	l := New(Options{Sample: 1, Output: writerFunc(func(p []byte) (int, error) {
		entered <- struct{}{}
		<-release
		return out.Write(p)
	})})
	stop := start(l)
	l.Write(pageView())
	<-entered // Run is stuck in the output

	const lines = 5000 // several buffers full
	for range lines {
		l.Write(pageView())
	}
	dropped := l.Dropped()
	assert.Greater(t, dropped, uint64(lines/2), "all that fits into the one buffer left is kept")

	close(release)
	stop()
	assert.EqualValues(t, lines+1-dropped, strings.Count(out.String(), "\n"), "each line is written or counted")
	assert.Equal(t, dropped, l.Dropped())
}

func TestAFailingOutputIsCountedAndToldOnce(t *testing.T) {
	full := errors.New("no space left on device")
	var changes []error
	broken := true
	var out bytes.Buffer
	l := New(Options{
		Sample: 1,
		Notify: func(err error) { changes = append(changes, err) },
		Output: writerFunc(func(p []byte) (int, error) {
			if broken {
				return 0, full
			}
			return out.Write(p)
		}),
	})
	for range 3 {
		l.Write(pageView())
		l.Write(pageView())
		l.flush()
	}
	assert.EqualValues(t, 6, l.Dropped())

	broken = false
	l.Write(pageView())
	l.flush()
	l.flush()
	assert.Equal(t, 1, strings.Count(out.String(), "\n"))

	require.Len(t, changes, 2)
	assert.ErrorIs(t, changes[0], full)
	assert.EqualError(t, changes[0], "access log: no space left on device")
	assert.NoError(t, changes[1])
}

func TestATornLineSpoilsNoOther(t *testing.T) {
	var out bytes.Buffer
	room := 6
	s := sink{out: writerFunc(func(p []byte) (int, error) {
		n, _ := out.Write(p[:min(room, len(p))])
		return n, nil // as a careless writer would: short, and no error
	})}

	assert.Equal(t, 2, s.write([]byte("one\ntwo\nthree\n")), "the torn line is lost too")
	room = 0
	assert.Equal(t, 1, s.write([]byte("four\n")), "it still cannot be ended")
	room = 100
	assert.Zero(t, s.write([]byte("five\n")))

	assert.Equal(t, "one\ntw\nfive\n", out.String())
}
