package tlsconf

import (
	"context"
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ocsp"

	"github.com/trackgate/trackgate/configs"
)

// oracle is a responder. What it says may be changed between two questions.
type oracle struct {
	issuer   signer
	by       signer // who signs the answers
	answer   ocsp.Response
	spoil    func(answer []byte) []byte
	status   int
	asked    int
	settings configs.TLS
	clock    time.Time
}

// consulted returns what manages the certificate of a.example.com, whose responder is an
// oracle that says it is good.
func consulted(t *testing.T) (*oracle, *Keeper, *log) {
	t.Helper()
	root := newRoot(t)
	o := &oracle{issuer: root.intermediate(t), settings: ordered(t.TempDir()), clock: time.Now(), status: http.StatusOK}
	o.by = o.issuer
	o.answer = ocsp.Response{ThisUpdate: o.clock.Add(-time.Minute), NextUpdate: o.clock.Add(5 * time.Hour), RevokedAt: o.clock}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	o.deliver(t, server.URL)
	k, l := o.start(t)
	return o, k, l
}

func (o *oracle) deliver(t *testing.T, url string) {
	t.Helper()
	o.issuer.deliver(t, o.settings, 0, "a.example.com", order{chain: []signer{o.issuer}, ocsp: url})
}

// start returns what reads the storage, with the clock of the oracle.
func (o *oracle) start(t *testing.T) (*Keeper, *log) {
	t.Helper()
	l := &log{}
	k, err := New(o.settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	k.managed.cache = idleCache(t)
	k.managed.responders.now = func() time.Time { return o.clock }
	k.managed.adviser.lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, nil }
	return k, l
}

func (o *oracle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.asked++
	body, _ := io.ReadAll(r.Body)
	question, err := ocsp.ParseRequest(body)
	if err != nil || r.Header.Get("Content-Type") != "application/ocsp-request" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answer := o.answer
	if answer.SerialNumber == nil {
		answer.SerialNumber = question.SerialNumber
	}
	if o.by.cert != o.issuer.cert {
		answer.Certificate = o.by.cert
	}
	text, err := ocsp.CreateResponse(o.issuer.cert, o.by.cert, answer, o.by.key)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if o.spoil != nil {
		text = o.spoil(text)
	}
	w.WriteHeader(o.status)
	w.Write(text)
}

// delegate signs answers in the place of the issuer, with leave or without.
func (o *oracle) delegate(t *testing.T, use x509.ExtKeyUsage, until time.Time) signer {
	key := newECDSA(t)
	template := &x509.Certificate{NotBefore: o.clock.Add(-time.Hour), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{use}}
	return signer{cert: signed(t, template, o.issuer, key), key: key}
}

// shown returns what clients are told after the responder was asked, where it is time to.
func shown(t *testing.T, k *Keeper) []byte {
	t.Helper()
	k.managed.inquire(t.Context())
	k.managed.clerk.wait()
	k.take(t.Context(), nil)
	return k.table.Load().find(keyOf("a.example.com"))[0].cert.OCSPStaple
}

func TestOnlyAnAnswerThatHelpsIsShown(t *testing.T) {
	for name, row := range map[string]struct {
		change func(t *testing.T, o *oracle)
		want   bool
	}{
		"good":          {func(*testing.T, *oracle) {}, true},
		"unknown":       {func(_ *testing.T, o *oracle) { o.answer.Status = ocsp.Unknown }, false},
		"revoked":       {func(_ *testing.T, o *oracle) { o.answer.Status = ocsp.Revoked }, false},
		"from tomorrow": {func(_ *testing.T, o *oracle) { o.answer.ThisUpdate = o.clock.Add(time.Hour) }, false},
		"over":          {func(_ *testing.T, o *oracle) { o.answer.NextUpdate = o.clock.Add(-time.Second) }, false},
		"of another":    {func(_ *testing.T, o *oracle) { o.answer.SerialNumber = big.NewInt(7) }, false},
		"by somebody":   {func(t *testing.T, o *oracle) { o.by = newRoot(t).intermediate(t) }, false},
		"by one with leave": {func(t *testing.T, o *oracle) {
			o.by = o.delegate(t, x509.ExtKeyUsageOCSPSigning, o.clock.Add(time.Hour))
		}, true},
		"by one without": {func(t *testing.T, o *oracle) {
			o.by = o.delegate(t, x509.ExtKeyUsageServerAuth, o.clock.Add(time.Hour))
		}, false},
		"by one who has ended": {func(t *testing.T, o *oracle) {
			o.by = o.delegate(t, x509.ExtKeyUsageOCSPSigning, o.clock.Add(-time.Second))
		}, false},
		"cut short":    {func(_ *testing.T, o *oracle) { o.spoil = func(a []byte) []byte { return a[:len(a)/2] } }, false},
		"try later":    {func(_ *testing.T, o *oracle) { o.spoil = func([]byte) []byte { return ocsp.TryLaterErrorResponse } }, false},
		"without end":  {func(_ *testing.T, o *oracle) { o.spoil = func([]byte) []byte { return make([]byte, 1<<20) } }, false},
		"out of order": {func(_ *testing.T, o *oracle) { o.status = http.StatusServiceUnavailable }, false},
	} {
		o, k, _ := consulted(t)
		row.change(t, o)
		assert.Equal(t, row.want, len(shown(t, k)) > 0, name)
		assert.Equal(t, 1, o.asked, name)
	}
}

func TestResponderIsAskedEachHour(t *testing.T) {
	o, k, _ := consulted(t)
	first := shown(t, k)
	require.NotEmpty(t, first)
	o.clock = o.clock.Add(59 * time.Minute)
	assert.Equal(t, first, shown(t, k))
	assert.Equal(t, 1, o.asked)
	o.clock = o.clock.Add(time.Minute)
	assert.NotEqual(t, first, shown(t, k))
	assert.Equal(t, 2, o.asked)
}

// A good word is shown until it is over and no longer: there are clients that refuse it then.
func TestResponderThatIsAwayIsLeftAlone(t *testing.T) {
	o, k, l := consulted(t)
	first := shown(t, k)
	o.status = http.StatusServiceUnavailable
	o.clock = o.clock.Add(2 * time.Hour)
	assert.Equal(t, first, shown(t, k))
	assert.Equal(t, first, shown(t, k))
	assert.Equal(t, 2, o.asked, "not again and again")
	o.clock = o.clock.Add(5 * time.Minute)
	shown(t, k)
	assert.Equal(t, 3, o.asked)
	assert.Equal(t, 1, strings.Count(l.String(), "clients are not told how certificates stand"), "once")
	o.clock = o.clock.Add(3 * time.Hour)
	assert.Empty(t, shown(t, k))

	o.status, o.answer.NextUpdate = http.StatusOK, o.clock.Add(time.Hour)
	o.clock = o.clock.Add(5 * time.Minute)
	assert.NotEmpty(t, shown(t, k))
	assert.Contains(t, l.String(), "responder answers again")
}

func TestAnAnswerOutlivesAGate(t *testing.T) {
	o, k, _ := consulted(t)
	before := shown(t, k)
	o.status = http.StatusServiceUnavailable
	again, _ := o.start(t)
	assert.Equal(t, before, shown(t, again))
	assert.Equal(t, 2, o.asked, "it may have another answer by now")

	o.deliver(t, "http://127.0.0.1:1")
	other, _ := o.start(t)
	assert.Empty(t, shown(t, other), "it was about another certificate")
}

func TestNobodyIsAskedWhereNobodyIsNamed(t *testing.T) {
	o, _, _ := consulted(t)
	o.issuer.deliver(t, o.settings, 0, "a.example.com", order{chain: []signer{o.issuer}})
	k, l := o.start(t)
	assert.Empty(t, shown(t, k))
	assert.Zero(t, o.asked)
	assert.NotContains(t, l.String(), "OCSP")
}
