//go:build suites

package acme

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	newOrders     = "/order-plz"
	stormLasts    = 30 * time.Second
	stormFails    = 20 // percent of requests
	stormRefuses  = 2  // orders in any case
	soonestRepeat = 55 * time.Second
)

// storm is an authority that has a bad time: some requests fail in one way or the other.
type storm struct {
	began   time.Time
	mu      sync.Mutex
	chance  *rand.Rand
	asked   int
	failed  map[string]int         // requests, by way
	orders  map[string][]time.Time // new ones that came, by host
	refused map[string][]time.Time // those that were refused for good, by host
}

func newStorm(seed uint64) *storm {
	return &storm{
		began: time.Now(), chance: rand.New(rand.NewPCG(seed, 0)), failed: map[string]int{},
		orders: map[string][]time.Time{}, refused: map[string][]time.Time{},
	}
}

// deal answers some requests in the authority's place, or drops the connection.
func (s *storm) deal(w http.ResponseWriter, r *http.Request, body []byte, pass http.Handler) {
	switch s.fate(r.URL.Path, body) {
	case "":
		pass.ServeHTTP(w, r)
	case "drop":
		panic(http.ErrAbortHandler)
	case "lose": // the answer to what the authority has done
		pass.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case "500":
		problem(w, http.StatusInternalServerError, "serverInternal")
	case "503":
		problem(w, http.StatusServiceUnavailable, "serverInternal")
	case "429":
		problem(w, http.StatusTooManyRequests, "rateLimited")
	}
}

// fate chooses what becomes of a request; "" is nothing bad.
func (s *storm) fate(path string, body []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	host := ""
	if path == newOrders {
		host = orderedHost(body)
		s.orders[host] = append(s.orders[host], time.Now())
	}
	way := s.chooseLocked(host)
	if way != "" {
		s.failed[way]++
	}
	if way == "429" && host != "" {
		s.refused[host] = append(s.refused[host], time.Now())
	}
	return way
}

// chooseLocked leaves it to chance, but for the first orders. What is limited is not asked
// again within an order, and is seldom.
func (s *storm) chooseLocked(host string) string {
	switch n := s.chance.IntN(100); {
	case time.Since(s.began) > stormLasts:
		return ""
	case host != "" && len(s.refused) < stormRefuses && len(s.refused[host]) == 0:
		return "429"
	case n < 1:
		return "429"
	case n < 6:
		return "500"
	case n < 11:
		return "503"
	case n < 16:
		return "drop"
	case n < stormFails:
		return "lose"
	}
	return ""
}

func problem(w http.ResponseWriter, status int, kind string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"type": "urn:ietf:params:acme:error:" + kind, "detail": "in the storm", "status": status})
}

// orderedHost reads the name out of a JWS with a new order (RFC 8555 section 7.4).
func orderedHost(body []byte) string {
	var signed struct{ Payload string }
	var order struct{ Identifiers []struct{ Value string } }
	if json.Unmarshal(body, &signed) != nil {
		return "?"
	}
	text, err := base64.RawURLEncoding.DecodeString(signed.Payload)
	if err != nil || json.Unmarshal(text, &order) != nil || len(order.Identifiers) != 1 {
		return "?"
	}
	return order.Identifiers[0].Value
}

// Most of what fails is asked again within an order. Where an order fails for good, the
// next one comes as the book of orders says, and by itself.
func TestAnAuthorityInAStorm(t *testing.T) {
	t.Parallel()
	g, s := newGate(t, sixHosts()...), newStorm(1)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t).behind(t, s.deal)
	s.began = time.Now()
	g.start(t, of(a)...)
	require.Eventually(t, func() bool { return s.toldOf(g.states(t)) }, stormLasts, 100*time.Millisecond, "what was refused is in the book")
	roots := a.roots(t)
	for _, host := range g.hosts {
		require.Eventually(t, func() bool {
			_, err := g.shake(host, roots)
			return err == nil
		}, time.Until(s.began.Add(stormLasts+80*time.Second)), 100*time.Millisecond, host)
	}
	for _, state := range g.states(t) {
		assert.Zero(t, state.Order.Failures, state.Host)
	}
	s.demandPatience(t)
}

// toldOf reports whether the gate says of all hosts that were refused how it went.
func (s *storm) toldOf(states []state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := 0
	for _, state := range states {
		if len(s.refused[state.Host]) > 0 && state.Order.Failures > 0 && strings.Contains(state.Order.Error, "rateLimited") {
			told++
		}
	}
	return told >= stormRefuses
}

// demandPatience looks at what the authority has seen.
func (s *storm) demandPatience(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := 0
	for host, orders := range s.orders {
		all += len(orders)
		assert.LessOrEqual(t, len(orders), 12, "orders for %s", host)
		for _, refused := range s.refused[host] {
			for _, at := range orders {
				if at.After(refused) {
					assert.GreaterOrEqual(t, at.Sub(refused), soonestRepeat, "the next order for %s", host)
					break
				}
			}
		}
	}
	assert.LessOrEqual(t, all, 4*len(sixHosts()), "orders for all")
	t.Logf("%d requests, of which failed %v; %d orders for %d hosts, %d refused for good", s.asked, s.failed, all, len(s.orders), len(s.refused))
}

// The storm blows as hard as it should, or it would show nothing.
func TestTheStormBlows(t *testing.T) {
	t.Parallel()
	s, all := newStorm(1), 0
	for range 2000 {
		s.fate("/dir", nil)
	}
	for _, way := range []string{"429", "500", "503", "drop", "lose"} {
		assert.Positive(t, s.failed[way], way)
		all += s.failed[way]
	}
	assert.InDelta(t, 2000*stormFails/100, all, 80)
	w := httptest.NewRecorder()
	problem(w, http.StatusTooManyRequests, "rateLimited")
	text, err := io.ReadAll(w.Result().Body)
	require.NoError(t, err)
	assert.Contains(t, string(text), "urn:ietf:params:acme:error:rateLimited")
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"identifiers":[{"type":"dns","value":"a.example.com"}]}`))
	assert.Equal(t, "a.example.com", orderedHost([]byte(`{"payload":"`+payload+`"}`)))
	assert.Equal(t, "?", orderedHost([]byte(url.QueryEscape(payload))))
}
