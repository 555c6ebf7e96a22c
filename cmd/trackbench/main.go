package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit codes.
const (
	exitFine    = 0
	exitMistake = 1 // in use
	exitFailure = 2 // at run time
)

// streams are what a verb reads and writes.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// verb is one way to use the program.
type verb func(ctx context.Context, args []string, std streams) error

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := dispatch(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// dispatch runs the verb that args begin with; run when there is none.
func dispatch(ctx context.Context, args []string, std streams) int {
	name := "run"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	verbs := map[string]verb{"run": runVerb, "load": loadVerb, "backend": backendVerb, "sink": sinkVerb}
	act, ok := verbs[name]
	if !ok {
		fmt.Fprintf(std.err, "trackbench: unknown verb %q: wanted run, load, backend or sink\n", name)
		return exitMistake
	}
	return exitCode(act(ctx, args, std), std.err)
}

func exitCode(err error, out io.Writer) int {
	var use useError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitFine
	case errors.As(err, &use):
		fmt.Fprintln(out, "trackbench:", err)
		return exitMistake
	default:
		fmt.Fprintln(out, "trackbench:", err)
		return exitFailure
	}
}

// useError is a mistake in how the program was called.
type useError string

// Error says what was wanted.
func (e useError) Error() string { return string(e) }

// parseFlags reads args into flags that take nothing besides.
func parseFlags(flags *flag.FlagSet, args []string, out io.Writer) error {
	flags.SetOutput(out)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if err != nil {
		return useError(err.Error())
	}
	if flags.NArg() > 0 {
		return useError("unexpected argument " + flags.Arg(0))
	}
	return nil
}
