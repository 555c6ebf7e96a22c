package main

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestAJournalWritesAllLinesInOrderBeforeItEnds(t *testing.T) {
	var out, want bytes.Buffer
	j := newJournal(&out)
	for i := range 500 {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		n, err := io.WriteString(j, line)
		assert.NoError(t, err)
		assert.Equal(t, len(line), n)
	}
	j.close(time.Minute)
	assert.Equal(t, want.String(), out.String())
	assert.Zero(t, j.dropped.Load())
}

func TestALineIsTheWritersAgainAfterItWasWritten(t *testing.T) {
	var out bytes.Buffer
	j := newJournal(&out)
	line := []byte("one\n")
	j.Write(line) //nolint:errcheck // it cannot fail
	copy(line, "two\n")
	j.close(time.Minute)
	assert.Equal(t, "one\n", out.String())
}

func TestAStuckOutputStopsNobody(t *testing.T) {
	read, write := io.Pipe() // nobody reads
	defer read.Close()
	j := newJournal(write)
	for range journalLines + 100 {
		io.WriteString(j, "a line\n") //nolint:errcheck // it cannot fail
	}
	assert.GreaterOrEqual(t, j.dropped.Load(), uint64(99), "one may be on its way")
	j.close(time.Millisecond)
	io.WriteString(j, "too late\n") //nolint:errcheck // it cannot fail
}
