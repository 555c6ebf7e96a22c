package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

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
	file, format := fileFlag(c), outputFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		served, err := check(*file)
		switch {
		case *format == inJSON:
			return errors.Join(printJSON(c.OutOrStdout(), checked{served, mistakes(err)}), err)
		case err != nil:
			return err
		}
		return served.print(c.OutOrStdout())
	}
	return c
}

// checked is what check tells programs: one of the two.
type checked struct {
	*served
	Mistakes []mistake `json:"mistakes,omitempty"`
}

// mistake is one line of what is wrong. What is not in a file has only wanted.
type mistake struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Key    string `json:"key,omitempty"`
	Value  string `json:"value,omitempty"`
	Wanted string `json:"wanted"`
	Hint   string `json:"hint,omitempty"`
}

func mistakes(err error) (list []mistake) {
	var found configs.Mistakes
	if err != nil && !errors.As(err, &found) {
		return []mistake{{Wanted: err.Error()}}
	}
	for _, m := range found {
		list = append(list, mistake(m))
	}
	return list
}

func check(file string) (*served, error) {
	s, _, err := loadSettings(file, os.Environ())
	if err != nil {
		return nil, err
	}
	return examine(s)
}

// served is what a file of settings amounts to.
type served struct {
	Listeners    []servedListener    `json:"listeners"`
	Pools        []servedPool        `json:"pools"`
	Certificates []servedCertificate `json:"certificates"`
	Tests        int                 `json:"tests"` // that hold: all there are
}

type servedListener struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	Address   string   `json:"address"`
	Protocols []string `json:"protocols"`
	Hosts     []string `json:"hosts"`
	Exposes   []string `json:"exposes"`
	Pool      string   `json:"pool,omitempty"`

	ClientCertificates string `json:"client_certificates,omitempty"`
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
	out := &served{Tests: len(s.Tests)}
	for _, l := range s.Listeners {
		out.Listeners = append(out.Listeners, servedListener{
			l.Name, string(l.Kind), l.Address, protocols(l), l.Hosts, exposure(l), l.Pool,
			certificatesOf(l.ClientCertificates),
		})
	}
	for _, p := range s.Pools {
		out.Pools = append(out.Pools, servedPool{p.Name, string(p.Policy), backendList(p)})
	}
	var err error
	out.Certificates, err = certificates(s)
	return out, err
}

// protocols are what a client may choose from.
func protocols(l configs.Listener) []string {
	if l.HTTP2 {
		return []string{"HTTP/2", "HTTP/1.1"}
	}
	return []string{"HTTP/1.1"}
}

// certificatesOf says whom clients have to be signed by; "" where none are asked for.
func certificatesOf(c configs.ClientCertificates) string {
	if c.CA == "" {
		return ""
	}
	words := []string{string(c.Mode) + ", signed by " + c.CA}
	if len(c.Names) > 0 {
		words = append(words, "for "+strings.Join(c.Names, " "))
	}
	if c.CRL != "" {
		words = append(words, "not revoked in "+c.CRL)
	}
	return strings.Join(words, ", ")
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

// backendList tells the entries as they can be written, not who is found behind
// a name: that is asked for when the gate runs.
func backendList(p configs.Pool) (list []string) {
	for _, b := range p.Backends {
		list = append(list, fmt.Sprintf("%s weight %d", b.URL(), b.Weight))
	}
	return list
}

// certificates says what each name would be served with.
func certificates(s *configs.Settings) ([]servedCertificate, error) {
	keeper, err := tlsconf.Examine(s.TLS, s.Listeners)
	if err != nil {
		return nil, err
	}
	if s.TLS.Issuer == configs.IssuerInternal {
		return []servedCertificate{{tlsHosts(s), "internal CA in " + s.TLS.Storage, ""}}, nil
	}
	var list []servedCertificate
	for _, c := range keeper.Certificates() {
		list = append(list, servedCertificate{c.Hosts, c.Source, c.NotAfter.UTC().Format("2006-01-02")})
	}
	if missing := keeper.Missing(); len(missing) > 0 {
		list = append(list, servedCertificate{missing, "to be ordered from " + tlsconf.Authority(s.TLS.ACME), ""})
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
		row(w, "listener "+l.Name, l.Kind+" on "+l.Address+", "+strings.Join(l.Protocols, " and "), strings.Join(l.Hosts, " "))
		for _, e := range l.Exposes {
			row(w, "", e, arrow(l.Pool))
		}
		if l.ClientCertificates != "" {
			row(w, "", "certificates of clients", l.ClientCertificates)
		}
	}
	for _, p := range s.Pools {
		row(w, "pool "+p.Name, p.Policy, strings.Join(p.Backends, ", "))
	}
	for _, c := range s.Certificates {
		until := ""
		if c.NotAfter != "" {
			until = " until " + c.NotAfter
		}
		row(w, "certificate", strings.Join(c.Hosts, " "), c.Source+until)
	}
	if s.Tests > 0 {
		row(w, "tests", fmt.Sprintf("%d of %d hold", s.Tests, s.Tests))
	}
	return w.Flush()
}

// row prints cells; an empty one at the end leaves no space behind.
func row(w io.Writer, cells ...string) {
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

func arrow(pool string) string {
	if pool == "" {
		return ""
	}
	return "-> pool " + pool
}
