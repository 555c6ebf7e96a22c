package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// bench is everything that a run needs and that must be gone after it.
type bench struct {
	folder     string
	executable string // this program
	leaf       []byte
	stock      stock
	backend    aide
	options    options
	notes      io.Writer // what is going on
}

// newBench makes the folder and the certificate and starts the backend. The caller
// closes the bench.
func newBench(ctx context.Context, o options, notes io.Writer) (*bench, error) {
	folder, err := os.MkdirTemp("", "trackbench-")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	b := &bench{folder: folder, options: o, notes: notes}
	if err := errors.Join(b.certify(), b.fillStock(ctx), b.startBackend(ctx)); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error {
	if b.backend.process != nil {
		b.backend.stop()
	}
	return os.RemoveAll(b.folder)
}

func (b *bench) certify() error {
	c, err := newCertificate(time.Now(), benchHost, 24*time.Hour)
	if err != nil {
		return err
	}
	if err := c.write(b.folder); err != nil {
		return err
	}
	b.leaf, err = readLeaf(filepath.Join(b.folder, certificateFile))
	return err
}

func (b *bench) fillStock(ctx context.Context) (err error) {
	if b.options.certificates > 0 {
		b.stock, err = newStock(ctx, b.folder, b.options.certificates)
	}
	return err
}

func (b *bench) startBackend(ctx context.Context) (err error) {
	if b.executable, err = os.Executable(); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	b.backend, err = b.startAide(ctx, "backend")
	return err
}

func (b *bench) say(format string, values ...any) {
	if b.options.verbose {
		fmt.Fprintf(b.notes, format+"\n", values...)
	}
}
