package wirecheck

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// How long the absence of something is watched for: another answer, the end of
// a connection, a request that reaches the backend late.
const (
	quietAfterAnswers = 100 * time.Millisecond
	quietBeforeClose  = 2 * time.Second
	settles           = 20 * time.Millisecond
)

// sighting is what both sides saw of one request.
type sighting struct {
	outcome outcome
	record  record
}

// tryClient sends what a client may send.
func tryClient(t *testing.T, c clientCase, g gate, r *recorder) verdict {
	t.Helper()
	seen := send(t, c, g, r)
	return judge(c, seen.outcome, seen.record)
}

// tryBackend lets the backend misbehave, and then sends a request that must not
// suffer from it.
func tryBackend(t *testing.T, c backendCase, g gate, r *recorder) verdict {
	t.Helper()
	raw, err := expand(c.Raw)
	require.NoError(t, err)
	r.play(script{action: c.Action, raw: raw})
	first := send(t, clientCase{Raw: c.Request, HeadResponse: strings.HasPrefix(c.Request, "HEAD"), TimeoutMS: 6000}, g, r)
	r.play(script{})
	then := send(t, clientCase{Raw: `GET /track?follow=1 HTTP/1.1\r\nHost: {HOST}\r\n\r\n`}, g, r)
	return judgeBackend(c, first, then)
}

// send runs one conversation and returns what both sides saw of it.
func send(t *testing.T, c clientCase, g gate, r *recorder) sighting {
	t.Helper()
	r.forget()
	conn, err := g.dial(c)
	if c.Protocol == http2Protocol {
		require.NoError(t, err)
		require.Equal(t, http2Protocol, conn.ConnectionState().NegotiatedProtocol)
	}
	if err != nil { // a handshake that is refused is an answer as well
		return sighting{outcome: outcome{closed: true}}
	}
	o, err := converse(conn, c, c.patience())
	require.NoError(t, err)
	<-time.After(settles)
	return sighting{o, r.seen().without(usableTarget)}
}

func (c clientCase) patience() patience {
	p := patience{answers: max(1, len(c.Expect.Sequence)), first: c.timeout(), quiet: quietAfterAnswers}
	if c.Expect.StillUsable {
		p.answers++
	}
	if c.Expect.MustClose || c.Expect.ShouldClose {
		p.quiet = quietBeforeClose
	}
	return p
}
