package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
)

// aide is a verb of this program that runs beside the load and listens.
type aide struct {
	*process
	address string // host:port
}

// startAide starts this program with args and learns the address from its first line.
// The caller stops it.
func (b *bench) startAide(ctx context.Context, args ...string) (aide, error) {
	lines, out := io.Pipe()
	words := new(bytes.Buffer)
	run := command{name: args[0], argv: append([]string{b.executable}, args...), core: b.options.loadCore, out: out, err: words}
	p, err := run.start()
	if err != nil {
		return aide{}, err
	}
	go func() {
		select {
		case <-p.ended:
		case <-ctx.Done():
		}
		_ = out.CloseWithError(io.ErrUnexpectedEOF) // never fails
	}()
	line, err := bufio.NewReader(lines).ReadString('\n')
	if err != nil {
		p.stop()
		return aide{}, fmt.Errorf("%s: %w\n%s", args[0], err, words)
	}
	b.say("%s listens on %s, pid %d", args[0], strings.TrimSpace(line), p.pid())
	return aide{process: p, address: strings.TrimSpace(line)}, nil
}
