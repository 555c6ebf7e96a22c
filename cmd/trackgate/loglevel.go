package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
)

func loglevelCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "loglevel LEVEL",
		Short:   "Change what the gate that runs writes to its log, until the next reload or start",
		Example: "  trackgate loglevel debug",
		Args:    cobra.ExactArgs(1),
	}
	file := fileFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, args []string) error {
		var now levelWish
		if err := tell(c.Context(), settings.Admin, "/loglevel", levelWish{args[0]}, &now); err != nil {
			return err
		}
		_, err := fmt.Fprintln(c.OutOrStdout(), "the log's level is", now.Level)
		return err
	})
	return c
}
