package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	var wait time.Duration
	if draining {
		c.Flags().DurationVar(&wait, "wait", 0, "how long to wait for all connections to leave, where the whole gate drains; never less than timeouts.announce")
	}
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, args []string) error {
		switch {
		case len(args) == 0:
			return retire(c, settings.Admin, retireWish{draining}, wait, *format)
		case wait > 0:
			return errors.New("--wait is for the whole gate: without POOL and BACKEND")
		}
		var states []pool.State
		wish := drainWish{Pool: args[0], Backend: args[1], Draining: draining}
		if err := tell(c.Context(), settings.Admin, "/drain", wish, &states); err != nil {
			return err
		}
		return present(c.OutOrStdout(), *format, states, printBackends)
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
func retire(c *cobra.Command, sides configs.Admin, wish retireWish, wait time.Duration, format output) error {
	var now retired
	began := time.Now()
	if err := tell(c.Context(), sides, "/retire", wish, &now); err != nil {
		return err
	}
	if wait > 0 {
		<-time.After(time.Duration(now.AnnounceSeconds * float64(time.Second)))
		var err error
		if now.status, err = awaitLeave(c.Context(), sides, began.Add(wait)); err != nil {
			return err
		}
	}
	return present(c.OutOrStdout(), format, now.status, func(out io.Writer, s status) error {
		_, err := fmt.Fprintf(out, "the gate is %s, %d connections\n", s.State, s.Connections)
		return err
	})
}

const (
	leaveInterval = 100 * time.Millisecond // how often it is looked whether all have left
	leaveLooks    = 10                     // in vain, until that is an error
)

// awaitLeave waits until no connection is left, until a time at most, and returns how the
// gate is then. A busy one may not answer at once.
func awaitLeave(ctx context.Context, sides configs.Admin, until time.Time) (now status, err error) {
	look := time.NewTicker(leaveInterval)
	defer look.Stop()
	for failed := 0; ; {
		err = get(ctx, sides, "/status", &now)
		if err == nil {
			failed = 0
		} else {
			failed++
		}
		over := err == nil && (now.Connections == 0 || time.Now().After(until))
		if over || failed == leaveLooks {
			return now, err
		}
		<-look.C
	}
}
