package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// version is stamped by the linker.
var version = "dev"

// The exit codes.
const (
	exitFine    = 0
	exitMistake = 1 // in settings or use
	exitFailure = 2 // at run time
	exitRefused = 3 // explain: the request would be refused
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }

func (e *exitError) Unwrap() error { return e.err }

func failure(err error) error { return &exitError{exitFailure, err} }

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// execute runs one verb and returns the exit code.
func execute(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "trackgate",
		Short:         "The gate in front of Tracardi: HTTPS in, only /track for the public, the GUI by IP range",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.AddCommand(runCommand(), checkCommand(), demoCommand(), explainCommand(), certsCommand(),
		statusCommand(), backendsCommand(), topCommand(), drainCommand(), undrainCommand(), reloadCommand(), confirmCommand(), diffCommand(), upgradeCommand(), loglevelCommand(), versionCommand())
	err := root.Execute()
	if err == nil {
		return exitFine
	}
	var known *exitError
	if !errors.As(err, &known) {
		known = &exitError{exitMistake, err}
	}
	if known.code != exitRefused {
		fmt.Fprintln(stderr, err)
	}
	return known.code
}

// defaultFile is where the settings are when nothing else is said.
const defaultFile = "/etc/trackgate/trackgate.yaml"

// fileFlag adds -c to a verb.
func fileFlag(c *cobra.Command) *string {
	return c.Flags().StringP("config", "c", defaultFile, "the settings, a YAML file")
}

// output is how a verb lists things: a flag that knows what may be said.
type output string

// The outputs.
const (
	text   output = "text"
	inJSON output = "json"
)

// String returns the output as it is written.
func (o *output) String() string { return string(*o) }

// Set takes what was written behind the flag.
func (o *output) Set(said string) error {
	switch output(said) {
	case text, inJSON:
		*o = output(said)
		return nil
	}
	return fmt.Errorf("wanted %s or %s", text, inJSON)
}

// Type names the kind of value in the help.
func (o *output) Type() string { return "format" }

// outputFlag adds -o to a verb.
func outputFlag(c *cobra.Command) *output {
	o := text
	c.Flags().VarP(&o, "output", "o", "text or json")
	return &o
}
