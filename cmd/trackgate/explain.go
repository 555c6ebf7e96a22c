package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/proxy/pool"
)

var errRefused = errors.New("refused")

func explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain METHOD URL",
		Short: "Say what would become of a request, step by step",
		Example: "  trackgate explain --from 198.51.100.7 POST https://track.example.com/track\n" +
			"  trackgate explain --live --from 10.0.0.1 --forwarded-for 198.51.100.7 GET https://tracardi.example.com/",
		Args: methodAndURL,
	}
	file, output := fileFlag(c), outputFlag(c)
	live := c.Flags().Bool("live", false, "ask the gate that runs, over its admin socket, for what it does now")
	name := c.Flags().String("listener", "", "the listener the client comes to, where host and port of the URL do not say")
	sni := c.Flags().String("sni", "", "the name in the TLS handshake, where it is not the URL's host")
	forwarded := c.Flags().StringArray("forwarded-for", nil, "an X-Forwarded-For field that the request brings; more than once for several")
	from := c.Flags().String("from", "", "the client's IP address")
	origin := c.Flags().String("origin", "", "the origin of the page that asks")
	c.MarkFlagRequired("from") //nolint:errcheck // the flag is there
	c.RunE = func(c *cobra.Command, args []string) error {
		addr, err := netip.ParseAddr(*from)
		if err != nil {
			return fmt.Errorf("--from %q: wanted an IP address", *from)
		}
		settings, err := configs.Load(*file, os.Environ())
		if err != nil {
			return err
		}
		q := proxy.Question{
			Listener: *name, SNI: *sni, From: addr.Unmap(), ForwardedFor: *forwarded, Method: args[0], URL: args[1], Origin: *origin,
		}
		verdict, err := explain(c.Context(), settings, q, *live)
		if err != nil {
			return err
		}
		return printVerdict(c.OutOrStdout(), verdict, *output)
	}
	return c
}

// explain asks the settings, or the gate that runs.
func explain(ctx context.Context, settings *configs.Settings, q proxy.Question, live bool) (*proxy.Verdict, error) {
	if !live {
		q.Running = running(ctx, settings.Admin)
		return proxy.Explain(settings, q)
	}
	var v proxy.Verdict
	err := tell(ctx, settings.Admin, "/explain", q, &v)
	return &v, err
}

// running returns what a gate that runs knows of its backends; nil when there is none.
func running(ctx context.Context, side configs.Admin) (states []pool.State) {
	if get(ctx, side, "/backends", &states) != nil {
		return nil // the decision is the same; how the backends are remains unsaid
	}
	return states
}

// methodAndURL says what is missing in the words of the help.
func methodAndURL(_ *cobra.Command, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("explain has %d arguments: wanted two, METHOD and URL", len(args))
	}
	return nil
}

// printVerdict prints the steps; a refusal is an error with an exit code of its
// own.
func printVerdict(w io.Writer, v *proxy.Verdict, format output) error {
	if format == inJSON {
		if err := printJSON(w, v); err != nil {
			return err
		}
	} else {
		for _, s := range v.Steps {
			fmt.Fprintf(w, "%-7s %s\n", s.Step, s.Result)
		}
		if v.Allowed {
			fmt.Fprintln(w, "allowed")
		}
	}
	if !v.Allowed {
		return &exitError{exitRefused, errRefused}
	}
	return nil
}

// printJSON prints v for programs.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
