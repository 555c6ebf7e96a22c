package tlsconf

import (
	"errors"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const oneHost = "one.example.com"

func TestAnOrderThatFailsIsNotMadeAgainAtOnce(t *testing.T) {
	c := &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	b := newBook(&certmagic.FileStorage{Path: t.TempDir()}, c.now)
	ctx := t.Context()
	require.NoError(t, b.begin(ctx, oneHost))
	order, err := b.failed(ctx, oneHost, errors.New("no such host"))
	require.NoError(t, err)
	assert.Equal(t, Order{Failures: 1, Error: "no such host", Ended: c.now(), Next: c.now().Add(55 * time.Second)}, order)

	err = b.begin(ctx, oneHost)
	var wait *WaitError
	require.ErrorAs(t, err, &wait)
	assert.EqualError(t, err, "one.example.com: no order before 2026-01-01T00:00:55Z, after 1 that failed: no such host")
	require.NoError(t, b.begin(ctx, "two.example.com"), "each host for itself")

	c.forward(55 * time.Second)
	require.NoError(t, b.begin(ctx, oneHost))
	require.NoError(t, b.succeeded(ctx, oneHost))
	assert.Equal(t, Order{Ended: c.now()}, b.of(oneHost))
}

func TestARestartDoesNotMakeOrdersComeSooner(t *testing.T) {
	c, s := &clock{at: time.Now()}, &certmagic.FileStorage{Path: t.TempDir()}
	for n := range 3 {
		b := newBook(s, c.now)
		order, err := b.failed(t.Context(), oneHost, errors.New("no"))
		require.NoError(t, err)
		require.Equal(t, n+1, order.Failures)
	}
	b := newBook(s, c.now)
	require.Error(t, b.begin(t.Context(), oneHost))
	b.pardon(t.Context(), oneHost)
	require.NoError(t, b.begin(t.Context(), oneHost), "somebody asks for it")
	require.NoError(t, b.succeeded(t.Context(), oneHost))
	require.NoError(t, newBook(s, c.now).begin(t.Context(), oneHost))
}

func TestAClockThatWasAheadDoesNotPutOrdersOff(t *testing.T) {
	c, s := &clock{at: time.Now()}, &certmagic.FileStorage{Path: t.TempDir()}
	c.forward(90 * 24 * time.Hour)
	order, err := newBook(s, c.now).failed(t.Context(), oneHost, errors.New("certificate has expired"))
	require.NoError(t, err)
	require.Error(t, newBook(s, c.now).begin(t.Context(), oneHost))
	c.forward(-30 * time.Minute)
	require.Error(t, newBook(s, c.now).begin(t.Context(), oneHost), "the clock of another gate is a little late")
	c.forward(30*time.Minute - 90*24*time.Hour)
	require.NoError(t, newBook(s, c.now).begin(t.Context(), oneHost))

	again, err := newBook(s, c.now).failed(t.Context(), oneHost, errors.New("no"))
	require.NoError(t, err)
	require.True(t, again.Next.Before(order.Next))
	require.Error(t, newBook(s, c.now).begin(t.Context(), oneHost), "by the right clock it waits")
}

// What one gate has found out holds for all with the same storage.
func TestABookIsShared(t *testing.T) {
	c, s := &clock{at: time.Now()}, &certmagic.FileStorage{Path: t.TempDir()}
	one, two := newBook(s, c.now), newBook(s, c.now)
	require.NoError(t, two.begin(t.Context(), oneHost))
	_, err := one.failed(t.Context(), oneHost, errors.New("no"))
	require.NoError(t, err)
	require.Error(t, two.begin(t.Context(), oneHost))
	assert.Equal(t, 1, two.of(oneHost).Failures)
	c.forward(time.Minute)
	require.NoError(t, one.succeeded(t.Context(), oneHost))
	two.settle(oneHost)
	require.NoError(t, two.begin(t.Context(), oneHost))
	assert.Zero(t, two.of(oneHost).Failures)
}

func TestPatienceGrowsAndHasAnEnd(t *testing.T) {
	last := time.Duration(0)
	for n := 1; n < 40; n++ {
		assert.GreaterOrEqual(t, patience(n), last)
		last = patience(n)
	}
	assert.Equal(t, 6*time.Hour, last)
	perHour, at := 0, time.Duration(0)
	for n := 1; at < time.Hour; n++ {
		perHour++
		at += patience(n)
	}
	assert.LessOrEqual(t, perHour, 7, "orders in the first hour")
}

func TestABookThatCannotBeReadIsEmpty(t *testing.T) {
	s := &certmagic.FileStorage{Path: t.TempDir()}
	require.NoError(t, s.Store(t.Context(), orderKey(oneHost), []byte("{")))
	require.NoError(t, newBook(s, time.Now).begin(t.Context(), oneHost))
}
