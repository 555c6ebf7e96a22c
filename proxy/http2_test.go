package proxy_test

import (
	"testing"

	"golang.org/x/net/http2"

	"github.com/trackgate/trackgate/internal/testbed"
)

// post is the head of an event over HTTP/2; its body follows.
var post = []string{":method: POST", ":scheme: https", ":path: /track", ":authority: " + testbed.Host}

// A client that is answered before it has sent all is told that the rest is not
// wanted, and its answer is not lost.
func TestAnAnswerToARequestThatGoesOnIsNotFollowedByAnError(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Listener("limits: {body: 1KiB}"),
		testbed.Section("timeouts: {body: 150ms}"))
	frames := edge.Frames(t, testbed.Way{})
	for reason, row := range map[string]struct {
		part   string
		status int
	}{
		"body_too_large":  {text(2000), 413},
		"client_too_slow": {"half", 408},
	} {
		s := frames.Open(t, false, post...)
		s.Data(t, row.part, false)
		s.Answer(t).IsEdge(row.status, reason).IsReset(http2.ErrCodeNo).Stays()
		frames.Write(t, func(w *http2.Framer) error { return w.WriteData(s.ID, true, []byte("the rest")) })
		frames.Event(t, "/track", event).Answer(t).HasStatus(200).Stays()
	}
}
