package proxy

import (
	"bytes"
	"errors"
	"strings"

	"github.com/trackgate/trackgate/proxy/wire"
)

// challengePath is where an authority looks whether a host is under our control (RFC 8555
// section 8.3).
var challengePath = []byte("/.well-known/acme-challenge/")

// challengeProtocol is what it offers by ALPN when it looks on a port with TLS (RFC 8737).
const challengeProtocol = "acme-tls/1"

// errChallenged ends a connection on which an authority has seen what it came for.
var errChallenged = errors.New("an authority has seen the answer to its challenge")

// challenge answers an authority that comes to see whether a host is under our control.
// It may come for any host of the gate, from anywhere. done says that something was
// waiting for it; to all others it is a request as any.
func (g *Gate) challenge(x *exchange) (done bool, err error) {
	if g.parts.Challenge == nil || !x.listener.mayChallenge(x.req) {
		return false, nil
	}
	host, _, _ := wire.SplitHost(x.req.Authority)
	answer := g.parts.Challenge(strings.ToLower(strings.Trim(string(host), "[]")), string(x.req.Target))
	if answer == nil {
		return false, nil
	}
	x.client = x.trueClient()
	x.answered = true
	x.open(200)
	x.stream.Field("content-type", []byte("application/octet-stream"))
	x.stream.Field("cache-control", []byte("no-store"))
	x.stream.Frame(int64(len(answer)))
	x.count(len(answer))
	return true, x.stream.Finish(answer, nil)
}

// mayChallenge reports whether a request asks for what an authority would.
func (l *listener) mayChallenge(req *wire.Request) bool {
	return l.challenged && bytes.HasPrefix(req.Target, challengePath) && string(req.Method) == "GET"
}
