package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy/pool"
)

func statusCommand() *cobra.Command {
	return showCommand("status", "Show how the gate that runs is: listeners, backends, certificates", "/status", printStatus)
}

func backendsCommand() *cobra.Command {
	return showCommand("backends", "Show the backends of the gate that runs, and why they are up or down", "/backends", printBackends)
}

// showCommand is a verb that shows a page of the gate.
func showCommand[T any](name, short, page string, show func(io.Writer, T) error) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs}
	file, format := fileFlag(c), outputFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, _ []string) error {
		var answer T
		if err := get(c.Context(), settings.Admin, page, &answer); err != nil {
			return err
		}
		return present(c.OutOrStdout(), *format, answer, show)
	})
	return c
}

// present writes what a verb has found out: as JSON for programs, by show for people.
func present[T any](out io.Writer, format output, found T, show func(io.Writer, T) error) error {
	if format == inJSON {
		return printJSON(out, found)
	}
	return show(out, found)
}

// printStatus writes the page for people.
func printStatus(out io.Writer, s status) error {
	up := time.Duration(s.UptimeSeconds * float64(time.Second)).Round(time.Second)
	fmt.Fprintf(out, "trackgate %s is %s since %s (%s), %d connections\n\n", s.Version, s.State, second(s.Since), up, s.Connections)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row(w, "LISTENER", "KIND", "ADDRESS", "HOSTS", "POOL")
	for _, l := range s.Listeners {
		row(w, l.Name, l.Kind, l.Address, few(l.Hosts), l.Pool)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := printBackends(out, s.Backends); err != nil {
		return err
	}
	if len(s.Certificates) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return printStates(out, s.Certificates)
}

// few shortens a list for a table.
func few(list []string) string {
	const most = 3
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}

func printBackends(out io.Writer, states []pool.State) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row(w, "POOL", "BACKEND", "STATE", "SINCE", "WEIGHT", "RUNNING", "KEPT", "WHY")
	for _, b := range states {
		row(w, b.Pool, b.Backend, stateOf(b), second(b.Since), fmt.Sprint(b.Weight), fmt.Sprint(b.Running), fmt.Sprint(b.Kept), b.Why)
	}
	return w.Flush()
}

// stateOf is how a backend is, in words.
func stateOf(b pool.State) string {
	if b.Draining {
		return b.State + ", draining"
	}
	return b.State
}
