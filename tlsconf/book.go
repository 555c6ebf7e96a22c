package tlsconf

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
)

// book keeps how orders went, so that a host whose orders fail is not ordered again and
// again: authorities count failures, and shut out who makes many. It is written down, as
// a gate that is restarted every minute would begin anew each time.
type book struct {
	storage certmagic.Storage
	now     func() time.Time
	mu      sync.Mutex
	entries map[string]*entry
}

// entry is what is known of a host.
type entry struct {
	Order
	open    bool // an order is under way
	stalled bool // none can be made
}

// Order is how the last order of a certificate went.
type Order struct {
	Failures int       `json:"failures"`            // in a row
	Error    string    `json:"error,omitempty"`     // of the last one
	Advice   []string  `json:"advice,omitempty"`    // what may be wrong, as seen from here
	Ended    time.Time `json:"ended,omitzero"`      // the last one
	Next     time.Time `json:"not_before,omitzero"` // the next one comes no sooner
}

// waits reports whether the next order is still to wait. No failure makes one wait for
// longer than patience says: what was written down by a clock that was months ahead, which
// is a reason for orders to fail, must not keep a host without a certificate for months.
// The clocks of gates with one storage may differ a little.
func (o Order) waits(now time.Time) bool {
	left := o.Next.Sub(now)
	return left > 0 && o.Failures > 0 && left <= patience(o.Failures)+slowClock
}

func newBook(s certmagic.Storage, now func() time.Time) *book {
	return &book{storage: s, now: now, entries: map[string]*entry{}}
}

// patience returns how long to wait after so many failures in a row. The first are seldom
// the authority's fault or ours, but a record or a port that comes a little later.
func patience(failures int) time.Duration {
	steps := []time.Duration{
		55 * time.Second, 110 * time.Second, 110 * time.Second, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute,
		30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour,
	}
	return steps[min(failures, len(steps))-1]
}

// WaitError says that an order is not made yet.
type WaitError struct {
	Host  string
	Order Order
}

// Error says until when, and why.
func (e *WaitError) Error() string {
	return fmt.Sprintf("%s: no order before %s, after %d that failed: %s",
		e.Host, e.Order.Next.UTC().Format(time.RFC3339), e.Order.Failures, e.Order.Error)
}

func orderKey(host string) string {
	return path.Join("orders", certmagic.StorageKeys.Safe(host)+".json")
}

// entryLocked returns what is known of a host, also by other gates with the same storage.
// What cannot be read is nothing.
func (b *book) entryLocked(ctx context.Context, host string) *entry {
	e := b.entries[host]
	if e == nil {
		e = &entry{}
		b.entries[host] = e
	}
	var written Order
	text, err := b.storage.Load(ctx, orderKey(host))
	if err == nil && json.Unmarshal(text, &written) == nil && written.Ended.After(e.Ended) {
		e.Order = written
	}
	return e
}

// begin returns a WaitError for a host whose turn has not come.
func (b *book) begin(ctx context.Context, host string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entryLocked(ctx, host); e.waits(b.now()) {
		return &WaitError{Host: host, Order: e.Order}
	}
	return nil
}

// opened notes that an order is under way, and what may keep it from going well.
func (b *book) opened(host string, advice []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[host]; e != nil {
		e.open, e.Advice = true, advice
	}
}

// open reports whether an order is under way.
func (b *book) open(host string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[host]
	return e != nil && e.open
}

// stall notes whether orders can be made at all, and reports whether that is new.
func (b *book) stall(host string, stalled bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entries[host]
	if e == nil {
		e = &entry{}
		b.entries[host] = e
	}
	was := e.stalled
	e.stalled = stalled
	return stalled != was
}

// succeeded forgets what went wrong.
func (b *book) succeeded(ctx context.Context, host string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	failed := b.entryLocked(ctx, host).Failures > 0
	b.entries[host] = &entry{Order: Order{Ended: b.now()}, stalled: b.entries[host].stalled}
	if !failed {
		return nil
	}
	return b.storage.Delete(ctx, orderKey(host))
}

// failed notes a failure and returns when the next order may come.
func (b *book) failed(ctx context.Context, host string, cause error) (Order, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.entryLocked(ctx, host)
	e.open = false
	e.Failures++
	e.Error, e.Ended = cause.Error(), b.now()
	e.Next = e.Ended.Add(patience(e.Failures))
	text, err := json.Marshal(e.Order)
	if err == nil {
		err = b.storage.Store(ctx, orderKey(host), text)
	}
	return e.Order, err
}

// pardon lets the next order come at once, because somebody asks for it.
func (b *book) pardon(ctx context.Context, host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entryLocked(ctx, host).Next = time.Time{}
}

// settle forgets what went wrong before a certificate came by another way: from a gate with
// the same storage, say.
func (b *book) settle(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[host]; e != nil {
		e.Order = Order{Ended: b.now()}
	}
}

// of returns what this gate knows of a host without looking into the storage.
func (b *book) of(host string) Order {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.entries[host]; e != nil {
		return e.Order
	}
	return Order{}
}
