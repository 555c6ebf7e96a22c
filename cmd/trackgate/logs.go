package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/configs"
)

// newLogger makes the log of what changes: starts, checks, certificates. Its
// lines go to out, by way of journal.
func newLogger(s configs.Log, out, journal io.Writer) zerolog.Logger {
	if s.Format == "console" {
		journal = zerolog.ConsoleWriter{Out: journal, NoColor: !terminal(out), TimeFormat: time.RFC3339, TimeLocation: time.UTC}
	}
	setLevel(s.Level)
	return zerolog.New(journal).With().Timestamp().Logger()
}

// setLevel says what is written from now on, by all loggers.
func setLevel(name string) {
	level, err := zerolog.ParseLevel(name)
	if err != nil {
		level = zerolog.InfoLevel
	}
	zerolog.SetGlobalLevel(level)
}

// terminal reports whether a person reads out as it is written.
func terminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// kept is an output that is not ours to close.
type kept struct{ io.Writer }

// Close does nothing.
func (kept) Close() error { return nil }

// openOutput opens what the access log is written to.
func openOutput(name string) (io.WriteCloser, error) {
	switch name {
	case "stdout":
		return kept{os.Stdout}, nil
	case "stderr":
		return kept{os.Stderr}, nil
	case "off":
		return kept{io.Discard}, nil
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("log.access.output: %w", err)
	}
	return f, nil
}
