package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
)

func runCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Serve",
		Args:  cobra.NoArgs,
	}
	file := fileFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		from := source{*file, os.Environ()}
		settings, _, err := from.load()
		if err != nil {
			return err
		}
		ctx, stop := untilSignal(c.Context())
		defer stop()
		return serve(ctx, settings, from, func(started) {})
	}
	return c
}

// onSettings is what a verb does that begins with the settings in a file.
func onSettings(file *string, do func(*cobra.Command, *configs.Settings, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		settings, err := configs.Load(*file, os.Environ())
		if err != nil {
			return err
		}
		return do(c, settings, args)
	}
}

// untilSignal returns a context that ends with the first SIGTERM or SIGINT. A
// second one ends the program at once, as signals do when nobody listens.
func untilSignal(parent context.Context) (context.Context, context.CancelFunc) {
	if parent == nil {
		parent = context.Background()
	}
	ctx, end := context.WithCancel(parent)
	first := make(chan os.Signal, 1)
	signal.Notify(first, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		select {
		case <-first:
		case <-ctx.Done():
		}
		signal.Stop(first) // before anybody can know of the end
		end()
	}()
	return ctx, end
}
