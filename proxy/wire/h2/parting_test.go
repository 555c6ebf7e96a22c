package h2

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// lateFlusher is a Handler that takes its time to flush.
type lateFlusher struct{ conn *Conn }

func (l *lateFlusher) Serve(s *Stream) { s.End() }

func (l *lateFlusher) Flush() { time.AfterFunc(100*time.Millisecond, l.conn.Flush) }

func TestLastWordsAreNotWaitedForAsLongAsAnswers(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	l := &lateFlusher{conn: new(Conn)}
	l.conn.Init(near, &Config{Head: time.Hour, Write: time.Hour}, l)
	ended := make(chan error, 1)
	go func() { ended <- l.conn.Serve(time.Hour) }()

	io.WriteString(far, "no preface at all, and nobody who reads")

	select {
	case err := <-ended:
		var mistake *Error
		assert.True(t, errors.As(err, &mistake), "%v", err)
	case <-time.After(20 * time.Second):
		assert.Fail(t, "a client that does not read is waited for")
	}
}
