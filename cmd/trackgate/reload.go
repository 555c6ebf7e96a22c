package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
)

func reloadCommand() *cobra.Command {
	return reportCommand("reload", "/reload", "Have the gate that runs use its settings as they are now")
}

func diffCommand() *cobra.Command {
	return reportCommand("diff", "/diff", "Show what a reload would change and whom it touches, and whether it would work")
}

// reportCommand is a verb that asks for a report.
func reportCommand(name, page, short string) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Args: cobra.NoArgs}
	file, format := fileFlag(c), outputFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, _ []string) error {
		if settings.Admin.Socket == "" {
			return errors.New("admin.socket is empty: the gate cannot be told to do anything")
		}
		var r report
		if err := atSocket(settings.Admin.Socket).act(c.Context(), page, nil, &r); err != nil {
			return asFailure(err)
		}
		if *format == inJSON {
			return printJSON(c.OutOrStdout(), r)
		}
		return r.print(c.OutOrStdout(), name)
	})
	return c
}

// print writes a report for people.
func (r report) print(out io.Writer, verb string) error {
	if len(r.Changes) == 0 {
		_, err := fmt.Fprintln(out, "nothing is different")
		return err
	}
	for _, d := range r.Changes {
		fmt.Fprintln(out, d)
	}
	if len(r.Effects) > 0 {
		fmt.Fprintln(out)
	}
	for _, e := range r.Effects {
		fmt.Fprintln(out, e)
	}
	if len(r.AtNextStart) > 0 {
		fmt.Fprintf(out, "only when the gate is started anew: %s\n", strings.Join(r.AtNextStart, ", "))
	}
	if verb == "reload" {
		fmt.Fprintln(out, "\nreloaded")
	}
	return nil
}
