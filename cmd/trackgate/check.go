package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/tlsconf"
)

func checkCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Load the settings and print what would be served, or every mistake",
		Args:  cobra.NoArgs,
	}
	file, output := fileFlag(c), outputFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := configs.Load(*file, os.Environ())
		if err != nil {
			return err
		}
		served, err := examine(s)
		if err != nil {
			return err
		}
		if *output == "json" {
			return printJSON(c.OutOrStdout(), served)
		}
		return served.print(c.OutOrStdout())
	}
	return c
}

// served is what a file of settings amounts to.
type served struct {
	Listeners    []servedListener    `json:"listeners"`
	Pools        []servedPool        `json:"pools"`
	Certificates []servedCertificate `json:"certificates"`
}

type servedListener struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Address string   `json:"address"`
	Hosts   []string `json:"hosts"`
	Exposes []string `json:"exposes"`
	Pool    string   `json:"pool,omitempty"`
}

type servedPool struct {
	Name     string   `json:"name"`
	Policy   string   `json:"policy"`
	Backends []string `json:"backends"`
}

type servedCertificate struct {
	Hosts    []string `json:"hosts"`
	Source   string   `json:"source"`
	NotAfter string   `json:"not_after"`
}

// examine loads all that settings name, without leaving a trace: the internal
// CA, which makes its files when it is first used, is only named.
func examine(s *configs.Settings) (*served, error) {
	if _, err := proxy.New(s, proxy.Parts{Metrics: metrics.New(build())}); err != nil {
		return nil, err
	}
	out := &served{}
	for _, l := range s.Listeners {
		out.Listeners = append(out.Listeners, servedListener{
			l.Name, string(l.Kind), l.Address, l.Hosts, exposure(l), l.Pool,
		})
	}
	for _, p := range s.Pools {
		out.Pools = append(out.Pools, servedPool{p.Name, string(p.Policy), backendList(p)})
	}
	var err error
	out.Certificates, err = certificates(s)
	return out, err
}

// exposure says in words what a listener lets through.
func exposure(l configs.Listener) []string {
	switch l.Kind {
	case configs.GUI:
		var clients []string
		for _, c := range l.Clients {
			clients = append(clients, c.String())
		}
		return []string{"everything to " + strings.Join(clients, ", ")}
	case configs.Redirect:
		return []string{"a redirect to https"}
	}
	var lines []string
	for _, a := range l.Allow {
		for _, e := range a.Expand() {
			lines = append(lines, strings.Join(e.Methods, ",")+" "+e.Path)
		}
	}
	return lines
}

func backendList(p configs.Pool) (list []string) {
	for _, b := range p.Backends {
		list = append(list, fmt.Sprintf("%s://%s weight %d", b.Scheme, hostPort(b), b.Weight))
	}
	return list
}

func hostPort(b configs.Backend) string {
	if strings.Contains(b.Host, ":") {
		return fmt.Sprintf("[%s]:%d", b.Host, b.Port)
	}
	return fmt.Sprintf("%s:%d", b.Host, b.Port)
}

// certificates says what each name would be served with.
func certificates(s *configs.Settings) ([]servedCertificate, error) {
	if s.TLS.Issuer == configs.IssuerInternal {
		return []servedCertificate{{tlsHosts(s), "internal CA in " + s.TLS.Storage, ""}}, nil
	}
	keeper, err := tlsconf.New(s.TLS, s.Listeners, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	var list []servedCertificate
	for _, c := range keeper.Certificates() {
		list = append(list, servedCertificate{c.Hosts, c.Source, c.NotAfter.UTC().Format("2006-01-02")})
	}
	return list, nil
}

func tlsHosts(s *configs.Settings) (hosts []string) {
	for _, l := range s.Listeners {
		if l.TLS {
			hosts = append(hosts, l.Hosts...)
		}
	}
	return hosts
}

// print prints a table for people.
func (s *served) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range s.Listeners {
		fmt.Fprintf(w, "listener %s\t%s on %s\t%s\n", l.Name, l.Kind, l.Address, strings.Join(l.Hosts, " "))
		for _, e := range l.Exposes {
			fmt.Fprintf(w, "\t%s\t%s\n", e, arrow(l.Pool))
		}
	}
	for _, p := range s.Pools {
		fmt.Fprintf(w, "pool %s\t%s\t%s\n", p.Name, p.Policy, strings.Join(p.Backends, ", "))
	}
	for _, c := range s.Certificates {
		until := ""
		if c.NotAfter != "" {
			until = "until " + c.NotAfter
		}
		fmt.Fprintf(w, "certificate\t%s\t%s %s\n", strings.Join(c.Hosts, " "), c.Source, until)
	}
	return w.Flush()
}

func arrow(pool string) string {
	if pool == "" {
		return ""
	}
	return "-> pool " + pool
}
