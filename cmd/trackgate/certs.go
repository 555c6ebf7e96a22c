package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/tlsconf"
)

func certsCommand() *cobra.Command {
	c := showCommand("certs", "Show the certificates of the gate that runs: how long they last, and what is wrong", "/certs", printStates)
	c.AddCommand(certsRenewCommand(), certsImportCommand(), certsTrustCommand())
	return c
}

// certsRenewCommand leaves word in the storage, where whichever gate is first finds it.
func certsRenewCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "renew HOST",
		Short:   "Have the certificate of a host renewed at once",
		Example: "  trackgate certs renew -c trackgate.yaml track.example.com",
		Args:    cobra.ExactArgs(1),
	}
	file := fileFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, args []string) error {
		if err := tlsconf.RequestRenewal(c.Context(), settings, args[0]); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "the gate orders a new certificate for %s within %s; trackgate certs shows how it went\n",
			args[0], tlsconf.RequestsSeenWithin)
		return nil
	})
	return c
}

func certsImportCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "import CERTIFICATE KEY",
		Short:   "Take over a certificate that was had in another way, to be shown, and renewed when it is due",
		Example: "  trackgate certs import -c trackgate.yaml fullchain.pem privkey.pem",
		Args:    cobra.ExactArgs(2),
	}
	file := fileFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, args []string) error {
		hosts, err := tlsconf.Import(c.Context(), settings, configs.KeyPair{Certificate: args[0], Key: args[1]})
		if err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), "imported for", strings.Join(hosts, ", "))
		return nil
	})
	return c
}

func certsTrustCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "trust",
		Short:   "Print the certificate of the internal CA, for clients to trust",
		Example: "  trackgate certs trust -c trackgate.yaml > ca.pem",
		Args:    cobra.NoArgs,
	}
	file := fileFlag(c)
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, _ []string) error {
		if settings.TLS.Issuer != configs.IssuerInternal {
			return fmt.Errorf("tls.issuer is %s: only the issuer internal has a CA of its own", settings.TLS.Issuer)
		}
		text, err := os.ReadFile(filepath.Join(settings.TLS.Storage, tlsconf.CAName))
		if err != nil {
			return failure(fmt.Errorf("the internal CA is made when the gate is first started: %w", err))
		}
		_, err = c.OutOrStdout().Write(text)
		return err
	})
	return c
}

// printStates prints a table for people, and below it what went wrong.
func printStates(out io.Writer, states []tlsconf.State) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row(w, "HOST", "ENDS", "DAYS LEFT", "RENEWAL", "SOURCE", "ISSUER")
	for _, s := range states {
		if s.Source == "" {
			row(w, s.Host, "-", "-", "-", "none yet")
			continue
		}
		row(w, s.Host, day(s.NotAfter), fmt.Sprintf("%.1f", s.DaysLeft), day(s.Renewal), s.Source, s.Issuer)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range states {
		if s.Order != nil {
			printOrder(out, s.Host, s.Order)
		}
	}
	return nil
}

func printOrder(out io.Writer, host string, o *tlsconf.Order) {
	if o.Failures == 0 {
		fmt.Fprintf(out, "\n%s: an order is under way\n", host)
	} else {
		fmt.Fprintf(out, "\n%s: %d orders failed in a row, the last one at %s; the next one comes after %s\n  %s\n",
			host, o.Failures, second(o.Ended), second(o.Next), o.Error)
	}
	for _, advice := range o.Advice {
		fmt.Fprintf(out, "  perhaps: %s\n", advice)
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateOnly)
}

func second(t time.Time) string { return t.UTC().Format(time.RFC3339) }
