//go:build scenario

package scenario

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// python is Debian's own, which finds the packages of Debian.
const python = "/usr/bin/python3"

// uvicorn is the command of a backend that is FastAPI on uvicorn with its default
// of 5 s for idle connections.
func (b *backend) uvicorn() []string {
	_, port, _ := net.SplitHostPort(b.Address)
	return []string{python, "-B", "-m", "uvicorn", "collector:app", "--app-dir", "testdata", "--port", port,
		"--timeout-keep-alive", "5", "--no-access-log", "--log-level", "warning"}
}

// The promise of the documents: instances can be killed and relaunched without
// disruption. Three real backends, one after the other, gracefully; in the long
// form 30,000 requests at 500 a second.
func TestARollingRestartOfUvicornLosesNothing(t *testing.T) {
	s := newSite(t, plan{backends: 3, uvicorn: true})
	l := s.load(t, lasts(120, 500))
	pause(lasts(baseline, 5*time.Second))
	for _, b := range s.backends {
		b.stop(t)
		b.start(t)
		pause(lasts(2*time.Second, 19*time.Second))
	}
	r := l.stop()

	r.faultless(t, "requests")
	if soak() {
		assert.GreaterOrEqual(t, len(r), 30_000)
	}
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	s.settle(t, r)
}
