package tlsconf

import (
	"net"
	"slices"
	"strconv"

	"github.com/caddyserver/certmagic"

	"github.com/trackgate/trackgate/configs"
)

// doors are where authorities can come in to see that a host is under our control: the
// addresses of listeners, "" for none.
type doors struct{ plain, secure string }

// doorsOf prefers the ports where authorities come to by themselves.
func doorsOf(listeners []configs.Listener, allowed []configs.Challenge) doors {
	var d doors
	for _, l := range listeners {
		switch {
		case l.TLS && slices.Contains(allowed, configs.TLSALPN01):
			d.secure = preferred(d.secure, l.Address, "443")
		case slices.Contains(allowed, configs.HTTP01) && l.AnswersChallenges():
			d.plain = preferred(d.plain, l.Address, "80")
		}
	}
	return d
}

func preferred(old, address, port string) string {
	if _, p, _ := net.SplitHostPort(address); old == "" || p == port {
		return address
	}
	return old
}

// point has certmagic find that its ports are taken, by our listeners, which answer for it:
// it listens by itself where nobody does.
func (d doors) point(template *certmagic.ACMEIssuer) {
	plainHost, plainPort := portOf(d.plain)
	secureHost, securePort := portOf(d.secure)
	template.AltHTTPPort, template.AltTLSALPNPort = plainPort, securePort
	if d.plain == "" || plainHost == secureHost {
		template.ListenHost = secureHost
	} else if d.secure == "" {
		template.ListenHost = plainHost
	} // else any: it is taken when one of its addresses is
}

// portOf takes an address of settings apart; "" has port 0.
func portOf(address string) (host string, port int) {
	host, text, _ := net.SplitHostPort(address)
	port, _ = strconv.Atoi(text)
	return host, port
}
