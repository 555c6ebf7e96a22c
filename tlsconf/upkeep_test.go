package tlsconf

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// standIn is an authority that signs at once, or says what is set.
type standIn struct {
	root    signer
	key     string // in the storage
	fails   error
	signing func() // nil or what happens meanwhile

	mu       sync.Mutex
	attempts []int // what each order was told of those before it
}

func (s *standIn) IssuerKey() string { return s.key }

// Issue implements certmagic.Issuer.
func (s *standIn) Issue(ctx context.Context, csr *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := -1
	if n, ok := ctx.Value(certmagic.AttemptsCtxKey).(*int); ok {
		before = *n
	}
	s.attempts = append(s.attempts, before)
	if s.fails != nil {
		return nil, s.fails
	}
	if s.signing != nil {
		s.signing()
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: csr.DNSNames,
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().AddDate(0, 0, 60),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, s.root.cert, csr.PublicKey, s.root.key)
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &certmagic.IssuedCertificate{Certificate: chain, Metadata: struct{}{}}, err
}

// kept is a managed with a stand-in as its only authority, and a time of its own.
type kept struct {
	*managed
	keeper    *Keeper
	authority *standIn
	config    *certmagic.Config
	clock     *clock
	log       *log
}

func newKept(t *testing.T, deliver ...order) *kept {
	t.Helper()
	l, root, settings, now := &log{}, newRoot(t), ordered(abandoned(t)), &clock{at: time.Now()}
	for _, o := range deliver {
		root.deliver(t, settings, 0, "a.example.com", o)
	}
	k, err := New(settings, listening("a.example.com"), l.logger())
	require.NoError(t, err)
	m := k.managed
	m.adviser, m.book.now = noAdvice(), now.now
	m.cache = idleCache(t)
	m.plain = m.config(true)
	s := &standIn{root: root, key: m.authorities[0].key()}
	m.plain.Issuers = []certmagic.Issuer{s}
	config := *m.plain
	m.ordering.Store(&config)
	return &kept{managed: m, keeper: k, authority: s, config: &config, clock: now, log: l}
}

// abandoned returns a folder that goes with the test, as soon as certmagic has left it: that
// does not wait for its own jobs.
func abandoned(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "upkeep")
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.Eventually(t, func() bool { return os.RemoveAll(folder) == nil }, 10*time.Second, 10*time.Millisecond)
	})
	return folder
}

// turn is one look at all hosts, and what comes of it.
func (k *kept) turn(t *testing.T) {
	t.Helper()
	k.keepUp(t.Context(), k.config)
	k.clerk.wait()
	for len(k.obtained) > 0 {
		k.keeper.take(t.Context(), []string{<-k.obtained})
	}
}

func TestAMissingCertificateIsOrderedOnce(t *testing.T) {
	k := newKept(t)
	k.turn(t)
	assert.Empty(t, k.keeper.Missing())
	k.turn(t)
	require.Eventually(t, func() bool { return k.isHanded("a.example.com") }, 10*time.Second, time.Millisecond, "certmagic renews it")
	assert.Equal(t, []int{0}, k.authority.attempts)
}

// Orders come when the book allows them, each told of those before it, so that it begins
// with the authority's staging.
func TestARepetitionComesInItsTime(t *testing.T) {
	k := newKept(t)
	k.authority.fails = errors.New("not today")
	for range 3 {
		k.turn(t)
	}
	assert.Equal(t, []int{0}, k.authority.attempts)
	for range 3 {
		k.clock.forward(2 * time.Minute)
		k.turn(t)
	}
	assert.Equal(t, []int{0, 1, 2, 3}, k.authority.attempts)
	assert.Equal(t, 4, k.lastOrder("a.example.com").Failures)

	k.authority.fails = nil
	k.clock.forward(5 * time.Minute)
	k.turn(t)
	assert.Empty(t, k.keeper.Missing())
	assert.Zero(t, k.lastOrder("a.example.com").Failures)
}

// Who asks for it need not wait for its turn, and is told nothing of staging.
func TestAFirstOrderComesOnRequest(t *testing.T) {
	k := newKept(t)
	k.authority.fails = errors.New("not today")
	k.turn(t)
	k.authority.fails = nil
	ctx, end := context.WithCancel(t.Context())
	var repeating sync.WaitGroup
	repeating.Go(func() { k.repeat(ctx) })
	k.ask("a.example.com")
	k.keeper.take(t.Context(), []string{<-k.obtained})
	end()
	repeating.Wait()
	assert.Empty(t, k.keeper.Missing())
}

// certmagic makes the first attempt at a renewal, and the gate all others.
func TestARenewalThatFailedIsRepeated(t *testing.T) {
	old := order{from: time.Now().AddDate(0, 0, -80), until: time.Now().AddDate(0, 0, 10)}
	k := newKept(t, old)
	_, err := k.book.failed(t.Context(), "a.example.com", errors.New("not today"))
	require.NoError(t, err)
	k.handed["a.example.com"] = true
	k.turn(t)
	assert.Empty(t, k.authority.attempts, "its turn has not come")

	k.clock.forward(time.Minute)
	var wait *WaitError
	require.ErrorAs(t, k.config.RenewCertSync(t.Context(), "a.example.com", false), &wait, "as certmagic does")
	assert.Empty(t, k.authority.attempts)
	k.turn(t)
	assert.Equal(t, []int{1}, k.authority.attempts)
	assert.InDelta(t, 60, k.keeper.States()[0].DaysLeft, 1.1)
	k.turn(t)
	assert.Len(t, k.authority.attempts, 1)
}

// One that another gate has renewed meanwhile is not renewed again.
func TestWhatAnotherGateHasRenewedIsLeftAlone(t *testing.T) {
	k := newKept(t, order{from: time.Now().AddDate(0, 0, -80), until: time.Now().AddDate(0, 0, 10)})
	_, err := k.book.failed(t.Context(), "a.example.com", errors.New("not today"))
	require.NoError(t, err)
	k.handed["a.example.com"] = true
	k.clock.forward(time.Minute)
	k.authority.root.deliver(t, k.keeper.settings, 0, "a.example.com", order{})
	k.keeper.lookAround(t.Context())
	k.clerk.wait()
	assert.Empty(t, k.authority.attempts)
	assert.Zero(t, k.lastOrder("a.example.com").Failures)
}

// What was signed and cannot be kept must not be signed again and again.
func TestACertificateThatCannotBeKeptIsAFailure(t *testing.T) {
	k := newKept(t)
	disk := &full{Storage: k.storage.Storage}
	k.storage.Storage = disk
	k.authority.fails = errors.New("not today")
	k.turn(t)
	k.clock.forward(time.Minute)
	k.authority.fails = nil
	k.authority.signing = func() { disk.full = true }
	k.turn(t)
	assert.Equal(t, 2, k.lastOrder("a.example.com").Failures)
	assert.Contains(t, k.lastOrder("a.example.com").Error, "no space left")
	k.turn(t)
	assert.Len(t, k.authority.attempts, 2)

	k.clock.forward(time.Hour)
	for range 3 {
		k.turn(t)
	}
	assert.Len(t, k.authority.attempts, 2, "nothing is ordered that could not be kept")
	assert.Equal(t, 2, k.lastOrder("a.example.com").Failures)
	disk.full, k.authority.signing = false, nil
	k.turn(t)
	assert.Empty(t, k.keeper.Missing())
}

func TestABundleThatCannotBeReadIsReplaced(t *testing.T) {
	k := newKept(t)
	bundle, _ := site(certmagic.StorageKeys.SiteCert(k.authority.key, "a.example.com"))
	require.NoError(t, k.storage.Storage.Store(t.Context(), bundle, []byte("garbage")))
	k.turn(t)
	assert.Empty(t, k.keeper.Missing())
}

func TestNothingIsOrderedAfterTheEnd(t *testing.T) {
	k := newKept(t)
	ctx, end := context.WithCancel(t.Context())
	end()
	k.order(ctx, k.config, "a.example.com")
	assert.Empty(t, k.authority.attempts)
}

// A gate may be started before the storage that it shares, or while its disk is full.
func TestAStorageThatIsAwayAtTheStartIsNotTheEndOfOrders(t *testing.T) {
	root, settings := newRoot(t), ordered(t.TempDir())
	root.deliver(t, settings, 0, "kept.example.com", order{})
	l := &log{}
	k, err := New(settings, listening("kept.example.com", "new.example.com"), l.logger())
	require.NoError(t, err)
	m := k.managed
	remote := &away{Storage: m.storage.Storage}
	remote.away.Store(true)
	m.storage, m.adviser = newBundles(remote), noAdvice()
	ctx, end := context.WithCancel(t.Context())
	stop := m.start(ctx, usualPace())
	defer func() {
		end()
		stop()
	}()
	said := func(host, what string) int {
		n := 0
		for line := range strings.Lines(l.String()) {
			if strings.Contains(line, host) && strings.Contains(line, what) {
				n++
			}
		}
		return n
	}
	look := func() bool {
		k.lookAround(ctx)
		return true
	}
	for _, host := range m.hosts() {
		require.Eventually(t, func() bool { return look() && said(host, "which is tried again") == 1 }, 10*time.Second, time.Millisecond)
	}
	assert.Zero(t, m.renewing())
	assert.Zero(t, m.lastOrder("new.example.com"), "nothing is ordered that may be there")

	remote.away.Store(false)
	require.Eventually(t, func() bool { return look() && m.renewing() == 1 }, 10*time.Second, time.Millisecond, "what is there is looked after")
	require.Eventually(t, func() bool { return look() && m.lastOrder("new.example.com").Failures == 1 }, 10*time.Second, time.Millisecond, "what is not is ordered")
	require.Eventually(t, func() bool { return look() && said("kept.example.com", "ordered and renewed from now on") == 1 }, 10*time.Second, time.Millisecond)
	for _, host := range m.hosts() {
		assert.Equal(t, 1, said(host, "which is tried again"), "and said once")
	}
}
