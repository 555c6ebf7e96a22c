package main

import (
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/accesslog/syslog"
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
	return ok && term.IsTerminal(int(f.Fd()))
}

// logOutput is where the access log goes.
type logOutput interface {
	io.WriteCloser
	Reopen() error // a file that was moved is left for a new one; nothing else changes
}

// kept is an output that is not ours to close.
type kept struct{ io.Writer }

// Close does nothing.
func (kept) Close() error { return nil }

// Reopen does nothing.
func (kept) Reopen() error { return nil }

// remote is a syslog.
type remote struct{ *syslog.Syslog }

// Reopen does nothing: a connection that has ended is noticed.
func (remote) Reopen() error { return nil }

// openOutput opens what the access log is written to. Trouble is told when a file cannot
// be put aside; it is written on.
func openOutput(s configs.AccessLog, trouble func(error)) (logOutput, error) {
	switch s.Output {
	case "stdout":
		return kept{os.Stdout}, nil
	case "stderr":
		return kept{os.Stderr}, nil
	case "off":
		return kept{io.Discard}, nil
	}
	if network, address, ok := s.Syslog(); ok {
		return remote{syslog.New(network, address)}, nil
	}
	f, err := openLogFile(s.Output, s.Rotate, trouble)
	if err != nil {
		return nil, err
	}
	return f, nil
}
