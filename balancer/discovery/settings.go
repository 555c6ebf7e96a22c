package discovery

import (
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Bounds of a resolv.conf: the number of servers is that of resolv.conf(5).
const (
	mostServers    = 3
	mostSearch     = 32
	longestConf    = 1 << 16 // bytes
	usualAttempts  = 2
	longestName    = 254 // bytes, with the trailing dot
	localhostAlone = "127.0.0.1"
)

// settings are what holds for one round.
type settings struct {
	asker
	domains []string // the search list
	ndots   int
}

// settings returns those of Options, or else of resolv.conf as it is now. A file
// that is not there or names no server is taken for one that is being written:
// that of before holds, and without one the server on localhost.
func (r *Resolver) settings() settings {
	if len(r.options.Servers) > 0 {
		return settings{asker: asker{r.options.Servers, usualAttempts, r.options.Timeout}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.read(); ok {
		r.last = s
	}
	if len(r.last.servers) == 0 {
		local := net.JoinHostPort(localhostAlone, r.port)
		return settings{asker: asker{[]string{local}, usualAttempts, r.options.Timeout}, ndots: 1}
	}
	return r.last
}

func (r *Resolver) read() (settings, bool) {
	file, err := os.Open(r.options.ResolvConf)
	if err != nil {
		return settings{}, false
	}
	defer file.Close()
	conf, err := dns.ClientConfigFromReader(io.LimitReader(file, longestConf))
	if err != nil {
		return settings{}, false
	}
	s := settings{domains: conf.Search, ndots: conf.Ndots}
	s.attempts = conf.Attempts
	s.timeout = min(r.options.Timeout, time.Duration(conf.Timeout)*time.Second)
	for _, server := range conf.Servers {
		if _, err := netip.ParseAddr(server); err == nil && len(s.servers) < mostServers {
			s.servers = append(s.servers, net.JoinHostPort(server, r.port))
		}
	}
	return s, len(s.servers) > 0
}

// names returns the absolute names that name may be short for, in the order in
// which they are to be asked.
func (s settings) names(name string) []string {
	conf := dns.ClientConfig{Ndots: s.ndots}
	for _, domain := range s.domains[:min(len(s.domains), mostSearch)] {
		conf.Search = append(conf.Search, strings.Trim(domain, ".")) // "." alone is the root
	}
	var names []string
	for _, candidate := range conf.NameList(name) {
		_, legal := dns.IsDomainName(candidate)
		if legal && candidate != "." && len(candidate) <= longestName && !slices.Contains(names, candidate) {
			names = append(names, candidate)
		}
	}
	return names
}
