package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy/pool"
)

func drainCommand() *cobra.Command {
	return drainingCommand("drain", true, "Give a backend no new work, or say of the whole gate that it leaves; what runs is finished")
}

func undrainCommand() *cobra.Command {
	return drainingCommand("undrain", false, "Give a backend work again, or take back that the gate leaves")
}

func drainingCommand(name string, draining bool, short string) *cobra.Command {
	c := &cobra.Command{
		Use:     name + " [POOL BACKEND]",
		Short:   short,
		Example: "  trackgate " + name + " collectors 10.0.0.11:8686\n  trackgate " + name,
		Args:    noneOrTwo,
	}
	file, format := fileFlag(c), outputFlag(c)
	var wait *time.Duration
	if draining {
		wait = c.Flags().Duration("wait", 0, "how long to wait for all connections to leave, where the whole gate drains; never less than timeouts.announce")
	}
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, args []string) error {
		if len(args) == 0 {
			return retire(c, settings, draining, wait)
		}
		var states []pool.State
		wish := drainWish{Pool: args[0], Backend: args[1], Draining: draining}
		if err := tell(c.Context(), settings.Admin, "/drain", wish, &states); err != nil {
			return err
		}
		if *format == inJSON {
			return printJSON(c.OutOrStdout(), states)
		}
		return printBackends(c.OutOrStdout(), states)
	})
	return c
}

func noneOrTwo(_ *cobra.Command, args []string) error {
	if len(args) != 0 && len(args) != 2 {
		return fmt.Errorf("%d arguments: wanted none, for the whole gate, or two, POOL and BACKEND", len(args))
	}
	return nil
}

// retire has the whole gate say that it leaves, or take that back. With a time it waits until
// those before the gate have had theirs to notice, and for its connections to leave.
func retire(c *cobra.Command, settings *configs.Settings, on bool, wait *time.Duration) error {
	var now status
	began := time.Now()
	if err := tell(c.Context(), settings.Admin, "/retire", retireWish{on}, &now); err != nil {
		return err
	}
	if on && *wait > 0 {
		<-time.After(settings.Timeouts.Announce)
		if err := awaitLeave(c.Context(), settings.Admin, *wait-time.Since(began), &now); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "the gate is %s, %d connections\n", now.State, now.Connections)
	return err
}

// leaveInterval is how often it is looked whether all have left.
const leaveInterval = 100 * time.Millisecond

// awaitLeave waits until no connection is left, for at most a while.
func awaitLeave(ctx context.Context, sides configs.Admin, while time.Duration, now *status) error {
	over := time.NewTimer(while)
	defer over.Stop()
	look := time.NewTicker(leaveInterval)
	defer look.Stop()
	for {
		if err := get(ctx, sides, "/status", now); err != nil || now.Connections == 0 {
			return err
		}
		select {
		case <-over.C:
			return nil
		case <-look.C:
		}
	}
}
