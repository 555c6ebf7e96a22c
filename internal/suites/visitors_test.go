//go:build suites

package suites

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// visitors post events until they are told to leave, or ask for something else.
type visitors struct {
	site   *site
	client *http.Client
	ask    func(id string) (status int, err error)

	mu       sync.Mutex
	sent     []string // ids of events that were answered with 200
	failures []string
}

func newVisitors(t *testing.T, s *site) *visitors {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots(t)}, MaxIdleConnsPerHost: 32}
	t.Cleanup(transport.CloseIdleConnections)
	v := &visitors{site: s, client: &http.Client{Transport: transport, Timeout: 20 * time.Second}}
	v.ask = v.track
	return v
}

// roots is the gate's own CA.
func (s *site) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	ca, err := os.ReadFile(s.ca())
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(ca))
	return roots
}

// post sends events one after another, with a pause that grows from visitor to
// visitor, until ctx ends.
func (v *visitors) post(ctx context.Context, name string, pause time.Duration) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for i := 0; ctx.Err() == nil; i++ {
		v.event(fmt.Sprintf("%s-%d", name, i))
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func (v *visitors) event(id string) {
	status, err := v.ask(id)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil || status != http.StatusOK {
		v.failures = append(v.failures, fmt.Sprintf("%s at %s: %d %v", id, time.Now().Format(time.TimeOnly), status, err))
		return
	}
	v.sent = append(v.sent, id)
}

// track posts an event.
func (v *visitors) track(id string) (int, error) {
	return read(v.client.Post(v.site.url("/track"), "application/json", strings.NewReader(event(id, 0))))
}

// tracker gets the script.
func (v *visitors) tracker(string) (int, error) {
	return read(v.client.Get(v.site.url("/tracker/liliput.min.js")))
}

// read reads an answer to its end.
func read(answer *http.Response, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// during lets so many visitors post while do goes on.
func (v *visitors) during(t *testing.T, count int, pause func(int) time.Duration, do func()) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	var there sync.WaitGroup
	for i := range count {
		there.Go(func() { v.post(ctx, fmt.Sprintf("visitor-%d", i), pause(i)) })
	}
	do()
	leave()
	there.Wait()
}

// burst lets so many visitors post one event each, all at once.
func (v *visitors) burst(count, round int) {
	var there sync.WaitGroup
	for i := range count {
		there.Go(func() { v.event(fmt.Sprintf("visitor-%d-%d", i, round)) })
	}
	there.Wait()
}

// lostNothing fails t for each event that was refused, lost or delivered twice.
func (v *visitors) lostNothing(t *testing.T) {
	t.Helper()
	require.Empty(t, v.failures)
	require.NotEmpty(t, v.sent)
	times := v.site.delivered(t)
	for _, id := range v.sent {
		require.Equal(t, 1, times[id], "how often %s was delivered", id)
	}
	require.Len(t, times, len(v.sent))
}
