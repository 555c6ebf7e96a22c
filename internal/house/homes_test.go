package house

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// homes names, for each library, the folders whose code may import it. A
// library that is not listed may not be imported at all.
var homes = []struct {
	library string
	in      []string
}{
	{"github.com/spf13/viper", []string{"configs"}},
	{"github.com/go-viper/mapstructure", []string{"configs"}},
	{"go.yaml.in/yaml", []string{"configs"}},
	{"github.com/caddyserver/certmagic", []string{"tlsconf", "tlsconf/redisstore"}},
	{"golang.org/x/crypto/cryptobyte", []string{"tlsconf"}},
	{"golang.org/x/crypto/ocsp", []string{"tlsconf"}},
	{"github.com/mholt/acmez", []string{"tlsconf"}},
	{"github.com/libdns", []string{"tlsconf"}},
	{"github.com/redis/go-redis", []string{"tlsconf/redisstore"}},
	{"go.uber.org/zap", []string{"tlsconf"}},
	{"github.com/fsnotify/fsnotify", []string{"tlsconf", "configs"}},
	{"github.com/coreos/go-systemd", []string{"internal/supervisor"}},
	{"github.com/spf13/cobra", []string{"cmd/..."}},
	{"github.com/DeRuina/timberjack", []string{"cmd/trackgate"}},
	{"github.com/prometheus/client_golang/prometheus/promhttp", []string{"internal/admin", "internal/metrics"}},
	{"github.com/prometheus", []string{"internal/metrics"}},
	{"github.com/pires/go-proxyproto", []string{"proxy"}},
	{"github.com/rs/zerolog", []string{"cmd/...", "internal/...", "proxy", "proxy/pool", "tlsconf"}},
	{"github.com/stretchr/testify", []string{"internal/faults", "internal/program", "internal/scenario", "internal/testbed", "internal/testdns"}},
	{"github.com/miekg/dns", []string{"balancer/discovery", "internal/testdns", "tlsconf/caa"}},
	{"golang.org/x/sys", []string{"proxy/...", "internal/...", "cmd/..."}},
	{"go.opentelemetry.io/proto/otlp", []string{"internal/traces", "internal/testtraces"}},
	{"google.golang.org/protobuf", []string{"internal/traces", "internal/testtraces"}},
	{"golang.org/x/term", []string{"cmd/trackgate"}},
	{"golang.org/x/time", []string{"tlsconf", "proxy"}},
	{"golang.org/x/net", []string{"proxy/wire/...", "balancer/discovery", "cmd/trackbench", "internal/testbed"}},
}

// makers are the functions that build a logger; the program does so once and
// hands it on.
var makers = []string{"zerolog.New", "zerolog.NewConsoleWriter", "zerolog.SetGlobalLevel"}

func TestLibrariesStayAtHome(t *testing.T) { keeps(t, stayAtHome) }

func TestLoggersAreBuiltByTheProgramAlone(t *testing.T) { keeps(t, buildLoggersInCmd) }

func TestStrayLibrariesAreCaught(t *testing.T) {
	bad := snippet(t, "proxy/handler.go", "package proxy\n\nimport _ \"github.com/spf13/viper\"\n")
	assert.Equal(t, []string{"proxy/handler.go:3: github.com/spf13/viper lives in configs, not in proxy"}, said(stayAtHome(bad)))

	homeless := snippet(t, "proxy/x.go", "package proxy\n\nimport _ \"example.com/new\"\n")
	assert.Equal(t, []string{"proxy/x.go:3: example.com/new has no home yet"}, said(stayAtHome(homeless)))

	maker := snippet(t, "proxy/x.go", "package proxy\n\nfunc f() { _ = zerolog.New(nil) }\n")
	assert.Equal(t, []string{"proxy/x.go:3: zerolog.New outside of cmd"}, said(buildLoggersInCmd(maker)))
}

func stayAtHome(all tree) []finding {
	var findings []finding
	for _, s := range all.code() {
		for name, at := range s.imports() {
			if !foreign(name) {
				continue
			}
			in, known := home(name)
			switch {
			case !known:
				findings = append(findings, s.found(at, "%s has no home yet", name))
			case !fitsAny(in, s.folder()):
				findings = append(findings, s.found(at, "%s lives in %s, not in %s", name, strings.Join(in, ", "), s.folder()))
			}
		}
	}
	return findings
}

// foreign reports whether name is neither ours nor the standard library's.
func foreign(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return strings.Contains(first, ".") && name != module && !strings.HasPrefix(name, module+"/")
}

func home(name string) (in []string, known bool) {
	for _, h := range homes {
		if name == h.library || strings.HasPrefix(name, h.library+"/") {
			return h.in, true
		}
	}
	return nil, false
}

func buildLoggersInCmd(all tree) []finding {
	var findings []finding
	for _, s := range all.code() {
		if fits("cmd/...", s.folder()) {
			continue
		}
		for _, call := range s.calls() {
			if fitsAny(makers, call.name) {
				findings = append(findings, s.found(call.at, "%s outside of cmd", call.name))
			}
		}
	}
	return findings
}
