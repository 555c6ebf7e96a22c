package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// turnLimit bounds one turn from its preparation to its report.
const turnLimit = 2 * time.Minute

// talk is the conversation with a load verb that is prepared.
type talk struct {
	load   *process
	say    *os.File
	hear   *json.Decoder
	heard  *io.PipeWriter
	words  *bytes.Buffer // standard error
	cancel context.CancelFunc
}

// startTalk starts a load process and returns once it is ready. The caller ends it.
func startTalk(ctx context.Context, argv []string, core int) (*talk, error) {
	in, say, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	hear, heard := io.Pipe()
	t := &talk{say: say, heard: heard, hear: json.NewDecoder(hear), words: new(bytes.Buffer)}
	run := command{name: "load", argv: argv, core: core, in: in, out: heard, err: t.words}
	if t.load, err = run.start(); err != nil {
		return nil, errors.Join(err, say.Close())
	}
	ctx, t.cancel = context.WithTimeout(ctx, turnLimit)
	context.AfterFunc(ctx, func() { t.hangUp(ctx.Err()) })
	go t.hangUpWhenEnded()
	if _, err := t.next(); err != nil {
		t.end()
		return nil, err
	}
	return t, nil
}

// work says go and returns what was done.
func (t *talk) work() (report, error) {
	if _, err := io.WriteString(t.say, "go\n"); err != nil {
		return report{}, fmt.Errorf("load: %w", err)
	}
	return t.next()
}

// end stops the load process.
func (t *talk) end() {
	t.cancel()
	t.hangUp(context.Canceled)
	t.load.stop()
}

func (t *talk) next() (report, error) {
	var r report
	if err := t.hear.Decode(&r); err != nil {
		return report{}, t.failure(err)
	}
	return r, nil
}

// failure prefers what the load process has said about it.
func (t *talk) failure(err error) error {
	t.hangUp(err)
	t.load.stop()
	if said := bytes.TrimSpace(t.words.Bytes()); len(said) > 0 {
		err = errors.New(string(said))
	}
	return fmt.Errorf("load: %w", err)
}

func (t *talk) hangUp(err error) {
	_ = t.say.Close()               // may be closed already
	_ = t.heard.CloseWithError(err) // never fails
}

func (t *talk) hangUpWhenEnded() {
	<-t.load.ended
	t.hangUp(io.ErrUnexpectedEOF)
}
