package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy/pool"
)

func drainCommand() *cobra.Command {
	return drainingCommand("drain", true, "Give a backend no new work; what runs on it is finished")
}

func undrainCommand() *cobra.Command {
	return drainingCommand("undrain", false, "Give a backend work again")
}

func drainingCommand(name string, draining bool, short string) *cobra.Command {
	c := &cobra.Command{
		Use:     name + " POOL BACKEND",
		Short:   short,
		Example: "  trackgate " + name + " collectors 10.0.0.11:8686",
		Args:    cobra.ExactArgs(2),
	}
	file, format := fileFlag(c), outputFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, args []string) error {
		if settings.Admin.Socket == "" {
			return errors.New("admin.socket is empty: the gate cannot be told to do anything")
		}
		var states []pool.State
		wish := drainWish{Pool: args[0], Backend: args[1], Draining: draining}
		if err := atSocket(settings.Admin.Socket).act(c.Context(), "/drain", wish, &states); err != nil {
			return asFailure(err)
		}
		if *format == inJSON {
			return printJSON(c.OutOrStdout(), states)
		}
		return printBackends(c.OutOrStdout(), states)
	})
	return c
}
