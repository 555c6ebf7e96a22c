package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
)

func upgradeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "upgrade",
		Short: "Have the program that is installed now take over from the gate that runs, without a gap",
		Args:  cobra.NoArgs,
	}
	file := fileFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, _ []string) error {
		var by successor
		if err := tell(c.Context(), settings.Admin, "/upgrade", nil, &by); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "process %d serves now, process %d finishes what it has\n", by.PID, by.Before)
		return err
	})
	return c
}
