package tlsconf

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/rs/zerolog"
	"golang.org/x/crypto/ocsp"
)

const (
	askAgain  = time.Hour        // the an answer lasts for days, and yet the next may be another
	askLater  = 5 * time.Minute  // after a responder that did not answer
	askTime   = 10 * time.Second // for one answer
	maxAnswer = 64 << 10
)

// responders are asked how the certificates of authorities stand (OCSP, RFC 6960), where
// these name one. certmagic would ask as well. But it waits for one that hangs as long as
// that hangs, and renews nothing meanwhile; and it takes an answer for the truth until half
// of its life is over, so that a certificate may be revoked for days before it is replaced.
type responders struct {
	log     zerolog.Logger
	storage certmagic.Storage
	now     func() time.Time
	client  *http.Client
	mu      sync.Mutex
	answers map[string]answer    // by host
	silent  map[string]time.Time // by URL: who did not answer, and when to ask again
}

func newResponders(storage certmagic.Storage, now func() time.Time, log zerolog.Logger) *responders {
	return &responders{
		log: log, storage: storage, now: now, client: &http.Client{Timeout: askTime},
		answers: map[string]answer{}, silent: map[string]time.Time{},
	}
}

// question is about the certificate of one host.
type question struct {
	host         string
	leaf, issuer *x509.Certificate
	url          string
}

func questionOf(host string, cert *tls.Certificate) (question, error) {
	if len(cert.Certificate) < 2 {
		return question{}, errors.New("the chain ends with the leaf")
	}
	issuer, err := x509.ParseCertificate(cert.Certificate[1])
	return question{host: host, leaf: cert.Leaf, issuer: issuer, url: cert.Leaf.OCSPServer[0]}, err
}

// answer is what was said last.
type answer struct {
	leaf   []byte // of what
	status *ocsp.Response
	next   time.Time // when to ask again
}

// of returns the answer about a certificate of host; its status is nil where there is none.
func (r *responders) of(host string, leaf *x509.Certificate) answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a := r.answers[host]; bytes.Equal(a.leaf, leaf.Raw) {
		return a
	}
	return answer{}
}

func (r *responders) revoked(host string, leaf *x509.Certificate) bool {
	a := r.of(host, leaf)
	return a.status != nil && a.status.Status == ocsp.Revoked
}

// staple returns what clients may be told: that it is good, as long as the word lasts.
// There are clients that refuse a word that is over, and take none.
func (r *responders) staple(host string, leaf *x509.Certificate) []byte {
	s, now := r.of(host, leaf).status, r.now()
	if s == nil || s.Status != ocsp.Good || now.Before(s.ThisUpdate) || !now.Before(s.NextUpdate) {
		return nil
	}
	return s.Raw
}

func stapleKey(host string) string { return path.Join("ocsp", certmagic.StorageKeys.Safe(host)) }

// due reports whether it is time to ask about a certificate.
func (r *responders) due(host string, leaf *x509.Certificate) bool {
	now := r.now()
	return len(leaf.OCSPServer) > 0 && now.Before(leaf.NotAfter) && !now.Before(r.of(host, leaf).next)
}

// inquire asks, unless nobody answered there a moment ago. What was said before is
// remembered across restarts.
func (r *responders) inquire(ctx context.Context, host string, cert *tls.Certificate) {
	q, err := questionOf(host, cert)
	if err != nil {
		return // a chain without its issuer
	}
	a := r.of(q.host, q.leaf)
	if a.leaf == nil {
		a = r.remember(ctx, q)
	}
	if r.isSilent(q.url) {
		return
	}
	raw, err := r.ask(ctx, q)
	if ctx.Err() != nil {
		return
	}
	r.hear(q.url, err)
	if err == nil {
		r.learn(ctx, q, a, raw)
	}
}

// learn takes what was answered in the place of what was known.
func (r *responders) learn(ctx context.Context, q question, old answer, raw []byte) {
	status, err := parseAnswer(raw, q)
	if err != nil {
		r.log.Warn().Err(err).Str("host", q.host).Str("responder", q.url).Msg("responder says nothing of a certificate")
		r.keep(q, old.status, askLater)
		return
	}
	r.keep(q, status, askAgain)
	if err := r.storage.Store(ctx, stapleKey(q.host), raw); err != nil {
		r.log.Warn().Err(err).Str("host", q.host).Msg("what a responder says of a certificate cannot be kept")
	}
}

// remember takes what is in the storage for an answer, until there is a new one.
func (r *responders) remember(ctx context.Context, q question) answer {
	raw, err := r.storage.Load(ctx, stapleKey(q.host))
	if err != nil {
		return r.keep(q, nil, 0)
	}
	status, _ := parseAnswer(raw, q) // else it is of an older certificate
	return r.keep(q, status, 0)
}

// keep notes what was said, and when to ask again.
func (r *responders) keep(q question, status *ocsp.Response, again time.Duration) answer {
	a := answer{leaf: q.leaf.Raw, status: status, next: r.now().Add(again)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[q.host] = a
	return a
}

// isSilent reports whether a responder is left alone for now.
func (r *responders) isSilent(url string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now().Before(r.silent[url])
}

// hear notes whether a responder answers, and logs what is different from the last time.
func (r *responders) hear(url string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, was := r.silent[url]
	switch {
	case err == nil && was:
		r.log.Info().Str("responder", url).Msg("responder answers again")
	case err != nil && !was:
		r.log.Warn().Err(err).Str("responder", url).Msg("clients are not told how certificates stand (OCSP)")
	}
	delete(r.silent, url)
	if err != nil {
		r.silent[url] = r.now().Add(askLater)
	}
}

// ask returns what a responder answers, whatever that is.
func (r *responders) ask(ctx context.Context, q question) ([]byte, error) {
	body, err := ocsp.CreateRequest(q.leaf, q.issuer, nil)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, q.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/ocsp-request")
	reply, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", q.url, reply.Status)
	}
	return io.ReadAll(io.LimitReader(reply.Body, maxAnswer))
}

// parseAnswer returns what a responder says of the leaf, if it may: it is the issuer, or
// somebody whom the issuer has given that right alone (RFC 6960, 4.2.2.2), until that ends.
func parseAnswer(raw []byte, q question) (*ocsp.Response, error) {
	status, err := ocsp.ParseResponseForCert(raw, q.leaf, q.issuer)
	if err != nil {
		return nil, err
	}
	by := status.Certificate
	if by == nil || by.Equal(q.issuer) {
		return status, nil
	}
	if !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return nil, errors.New("the answer is signed by somebody who may not")
	}
	if by.NotAfter.Before(status.NextUpdate) {
		status.NextUpdate = by.NotAfter
	}
	return status, nil
}
