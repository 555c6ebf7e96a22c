package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/standin"
)

func demoCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Serve with a certificate of an own CA and two stand-ins for backends, for trying out",
		Args:  cobra.NoArgs,
	}
	var at demoAddresses
	c.Flags().StringVar(&at.listen, "listen", "127.0.0.1:8443", "where to listen")
	c.Flags().StringVar(&at.admin, "admin", "127.0.0.1:9180", "where metrics and readiness are")
	c.RunE = func(c *cobra.Command, _ []string) error {
		ctx, stop := untilSignal(c.Context())
		defer stop()
		return demo(ctx, at, c.OutOrStdout())
	}
	return c
}

// demoAddresses are host:port; port 0 is any that is free.
type demoAddresses struct{ listen, admin string }

func (a demoAddresses) check() error {
	for flag, address := range map[string]string{"listen": a.listen, "admin": a.admin} {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return fmt.Errorf("--%s %q: wanted an address like 127.0.0.1:8443", flag, address)
		}
	}
	return nil
}

// demo serves until ctx ends.
func demo(ctx context.Context, at demoAddresses, out io.Writer) error {
	if err := at.check(); err != nil {
		return err
	}
	var urls []string
	for i := range 2 {
		backend, err := standin.Start(fmt.Sprintf("stand-in-%d", i+1))
		if err != nil {
			return failure(err)
		}
		defer backend.Close()
		urls = append(urls, `"http://`+backend.Addr()+`"`)
	}
	storage, err := demoStorage()
	if err != nil {
		return failure(err)
	}
	yaml := fmt.Sprintf(demoYAML, strings.Join(urls, ", "), storage)
	settings, err := configs.Parse("demo.yaml", []byte(yaml), os.Environ())
	if err != nil {
		return err
	}
	settings.Listeners[0].Address, settings.Admin = at.listen, configs.Admin{Address: at.admin}
	return serve(ctx, settings, source{}, func(s started) { welcome(out, s, urls) })
}

// demoYAML are the settings of the demo: what a public listener needs, and
// nothing else.
const demoYAML = `
listeners:
  - name: public
    kind: public
    address: "127.0.0.1:8443"
    hosts: ["localhost", "127.0.0.1", "::1"]
    pool: stand-ins
pools:
  - name: stand-ins
    backends: [%s]
tls: {issuer: internal, storage: %q}
log: {format: console}
`

// demoStorage is where the demo keeps its CA, so that a browser or curl that
// trusts it once can go on doing so.
func demoStorage() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "trackgate")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", errors.Join(errors.New("the demo needs a folder for its certificate"), err)
	}
	return dir, nil
}

// welcome prints what runs and a line to try.
func welcome(out io.Writer, s started, urls []string) {
	_, port, _ := net.SplitHostPort(s.Addrs[0].String())
	fmt.Fprintf(out, `
trackgate is running on https://localhost:%s with two stand-in backends (%s).
Try it, from the folder of the project:

  curl --cacert %s -d @examples/event.json -H 'content-type: application/json' https://localhost:%s/track

Everything else is refused, as the public should see it: try /docs, or PUT /track.
Metrics are at http://%s/metrics. Stop with Ctrl-C.

`, port, strings.ReplaceAll(strings.Join(urls, ", "), `"`, ""), s.CAFile, port, s.Admin)
}
