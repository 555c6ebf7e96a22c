package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
)

func reloadCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "reload",
		Short:   "Have the gate that runs use its settings as they are now",
		Example: "  trackgate reload\n  trackgate reload --confirm 60s && trackgate confirm",
		Args:    cobra.NoArgs,
	}
	trial := c.Flags().Duration("confirm", 0, "the old settings come back after this time unless trackgate confirm is said, or sooner if the gate does worse")
	reportsOn(c, "/reload", func() (any, error) {
		if *trial < 0 || *trial > longestTrial {
			return nil, fmt.Errorf("--confirm %s: wanted from 0 to %s", *trial, longestTrial)
		}
		return reloadWish{trial.Seconds()}, nil
	})
	return c
}

// longestTrial bounds for how long settings may be on trial.
const longestTrial = 24 * time.Hour

func diffCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "diff",
		Short: "Show what a reload would change and whom it touches, and whether it would work",
		Args:  cobra.NoArgs,
	}
	reportsOn(c, "/diff", func() (any, error) { return nil, nil })
	return c
}

func confirmCommand() *cobra.Command {
	c := &cobra.Command{Use: "confirm", Short: "Keep the settings that are on trial", Args: cobra.NoArgs}
	file := fileFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, _ []string) error {
		var now status
		if err := tell(c.Context(), settings.Admin, "/confirm", nil, &now); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.OutOrStdout(), "confirmed")
		return err
	})
	return c
}

// reportsOn makes c a verb that asks for a report.
func reportsOn(c *cobra.Command, page string, wish func() (any, error)) {
	file, format := fileFlag(c), outputFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, _ []string) error {
		asks, err := wish()
		if err != nil {
			return err
		}
		var r report
		if err := tell(c.Context(), settings.Admin, page, asks, &r); err != nil {
			return err
		}
		return present(c.OutOrStdout(), *format, r, func(out io.Writer, r report) error { return r.print(out, c.Name()) })
	})
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
	if !r.OnTrialUntil.IsZero() {
		fmt.Fprintf(out, "on trial until %s: trackgate confirm keeps it\n", second(r.OnTrialUntil))
	}
	return nil
}
