package proxy

import (
	"net"
	"net/netip"
	"strings"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// secure knows where each name is served over HTTPS, for redirects.
type secure struct {
	hosts *configs.Hosts
	ports []string // "" for 443, or ":8443"
}

func newSecure(listeners []configs.Listener) *secure {
	s := &secure{}
	var served []configs.Listener
	for _, l := range listeners {
		if !l.TLS {
			continue
		}
		served = append(served, l)
		port := ""
		if _, p, err := net.SplitHostPort(l.Address); err == nil && p != "443" && p != "https" {
			port = ":" + p
		}
		s.ports = append(s.ports, port)
	}
	s.hosts = configs.NewHosts(served)
	return s
}

// location returns where a request of plain HTTP is sent. Only GET and HEAD: a POST that
// is repeated has already been readable on the way, and clients drop its body. Only to
// names that are served: nobody else's.
func (s *secure) location(req *wire.Request) (string, error) {
	if m := string(req.Method); m != "GET" && m != "HEAD" {
		return "", refused(reason.MethodNotExposed)
	}
	name, _, _ := wire.SplitHost(req.Authority)
	host := strings.ToLower(string(name))
	i, ok := s.hosts.Find(strings.Trim(host, "[]"), netip.Addr{})
	if !ok {
		return "", refused(reason.WrongHost)
	}
	return "https://" + host + s.ports[i] + string(req.Target), nil
}

// redirect sends a client of plain HTTP to the same place over HTTPS.
func (g *Gate) redirect(x *exchange) (done bool, err error) {
	location, err := g.current.Load().secure.location(x.req)
	if err != nil {
		return false, err
	}
	x.answered = true
	x.open(301)
	x.stream.Field("location", []byte(location))
	x.stream.Frame(0)
	return true, x.stream.Finish(nil, nil)
}
