package tlsconf

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/require"
)

// folderOf is a storage that gates share, and that can be taken away.
func folderOf(t testing.TB) *certmagic.FileStorage {
	return &certmagic.FileStorage{Path: filepath.Join(t.TempDir(), "storage")}
}

// takeAway leaves a file where the folder was: nothing can be read or written.
func takeAway(t testing.TB, s *certmagic.FileStorage) (giveBack func()) {
	t.Helper()
	require.NoError(t, os.MkdirAll(s.Path, 0o700))
	require.NoError(t, os.Rename(s.Path, s.Path+".away"))
	require.NoError(t, os.WriteFile(s.Path, nil, 0o600))
	return func() {
		require.NoError(t, os.Remove(s.Path))
		require.NoError(t, os.Rename(s.Path+".away", s.Path))
	}
}

// opens reports whether a ticket of one gate is good on the other at a moment.
func opens(t testing.TB, from, to *ring, now time.Time) bool {
	t.Helper()
	session, state := someSession(t)
	seal, open := &tickets{}, &tickets{}
	seal.keys.Store(from.seals(now))
	open.keys.Store(to.seals(now))
	ticket, err := seal.wrap(state, session)
	require.NoError(t, err)
	opened, err := open.unwrap(ticket, state)
	require.NoError(t, err)
	return opened != nil
}

func TestGatesOpenEachOthersTickets(t *testing.T) {
	now, storage := time.Now(), folderOf(t)
	a, b := &ring{storage: storage, listener: "public"}, &ring{storage: storage, listener: "public"}
	for range 5 {
		require.NoError(t, a.sync(t.Context(), now))
		require.NoError(t, b.sync(t.Context(), now))
		require.True(t, opens(t, a, b, now))
		require.True(t, opens(t, b, a, now))
		require.LessOrEqual(t, len(b.keys), 3)
		now = now.Add(ringPeriod)
	}
}

// The key of the next period is there before it is used: a gate that is a period late
// opens what it seals.
func TestNextKeyIsKnownBeforeItIsUsed(t *testing.T) {
	now, storage := time.Now(), folderOf(t)
	early, late := &ring{storage: storage, listener: "public"}, &ring{storage: storage, listener: "public"}
	require.NoError(t, early.sync(t.Context(), now))
	require.NoError(t, late.sync(t.Context(), now))
	require.NoError(t, early.sync(t.Context(), now.Add(ringPeriod)))

	session, state := someSession(t)
	seal, open := &tickets{}, &tickets{}
	seal.keys.Store(early.seals(now.Add(ringPeriod)))
	open.keys.Store(late.seals(now))
	ticket, err := seal.wrap(state, session)
	require.NoError(t, err)
	opened, err := open.unwrap(ticket, state)
	require.NoError(t, err)
	require.NotNil(t, opened)
}

func TestKeysGoOnWithoutTheStorage(t *testing.T) {
	now, storage := time.Now(), folderOf(t)
	a, b := &ring{storage: storage, listener: "public"}, &ring{storage: storage, listener: "public"}
	require.NoError(t, a.sync(t.Context(), now))
	require.NoError(t, b.sync(t.Context(), now))
	giveBack := takeAway(t, storage)

	now = now.Add(ringPeriod)
	require.Error(t, a.sync(t.Context(), now))
	require.Error(t, b.sync(t.Context(), now))
	require.True(t, opens(t, a, b, now), "the key of this period was known")

	now = now.Add(ringPeriod)
	require.ErrorContains(t, a.sync(t.Context(), now), `keys of tickets of listener "public": `)
	require.Error(t, b.sync(t.Context(), now))
	require.True(t, opens(t, a, a, now))
	require.False(t, opens(t, a, b, now), "each has keys of its own now")

	giveBack()
	alone := *b
	require.NoError(t, a.sync(t.Context(), now))
	require.NoError(t, b.sync(t.Context(), now))
	require.True(t, opens(t, a, b, now))
	require.True(t, opens(t, b, a, now))
	require.True(t, opens(t, &alone, b, now), "what it sealed alone stays good")
}

func TestTicketsEndAfterTwoPeriods(t *testing.T) {
	now := time.Now()
	old := &ring{storage: folderOf(t), listener: "public"}
	require.NoError(t, old.sync(t.Context(), now))
	later := &ring{storage: old.storage, listener: "public"}
	require.NoError(t, later.sync(t.Context(), now.Add(ringPeriod)))
	require.True(t, opens(t, &ring{listener: "public", keys: old.keys[:1]}, later, now))
	later.advance(now.Add(2 * ringPeriod))
	require.NotContains(t, later.keys, old.keys[0])
}

// A row that is copied to another listener makes other keys.
func TestSecretsOfOneListenerAreWorthlessOnAnother(t *testing.T) {
	now := time.Now()
	public := &ring{storage: folderOf(t), listener: "public"}
	require.NoError(t, public.sync(t.Context(), now))
	gui := &ring{listener: "gui", keys: public.keys}
	require.False(t, opens(t, public, gui, now))
}

func TestWhatIsWrittenWrongIsNotUsedNorReplaced(t *testing.T) {
	now := time.Now()
	for text, want := range map[string]string{
		`nonsense`:                           "not JSON of a list of keys",
		`[{"period":1,"secret":"c2hvcnQ="}]`: "the secret of period 1 has 5 bytes: wanted 32",
	} {
		r := &ring{storage: folderOf(t), listener: "public"}
		require.NoError(t, r.storage.Store(t.Context(), r.file(), []byte(text)))
		require.ErrorContains(t, r.sync(t.Context(), now), want)
		require.True(t, opens(t, r, r, now))
		kept, err := r.storage.Load(t.Context(), r.file())
		require.NoError(t, err)
		require.Equal(t, text, string(kept))
	}
}

func TestStorageIsNotAskedWhenTimeIsUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := &ring{storage: folderOf(t), listener: "public"}
	require.ErrorIs(t, r.sync(ctx, time.Now()), context.Canceled)
	require.True(t, complete(r.keys, periodAt(time.Now())))
}

func TestVisitorResumesOnAnotherGate(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		storage, first := folderOf(t), newGate(t)
		l := &log{}
		again, err := New(first.keeper.settings, first.keeper.listeners, l.logger())
		require.NoError(t, err)
		second := serve(t, &gate{keeper: again, root: first.root}, again.listeners)
		first.keeper.shareTickets(storage)
		second.keeper.shareTickets(storage)

		client := returning(t, first, "track.example.com", version)
		require.True(t, second.ok(t, client).DidResume)
		client = returning(t, first, "track.example.com", version)
		client.ServerName = "gui.example.com"
		require.False(t, second.ok(t, client).DidResume, "on another listener")

		client = returning(t, first, "track.example.com", version)
		giveBack := takeAway(t, storage)
		for range 2 {
			second.keeper.syncTickets(t.Context())
			second.keeper.rotate() // the clock does it
		}
		require.True(t, second.ok(t, client).DidResume, "without the storage")
		giveBack()
		second.keeper.syncTickets(t.Context())
		require.True(t, second.ok(t, client).DidResume)
		require.Regexp(t, `(?s)"ticket keys are not shared, those at hand stay in use".*"ticket keys are shared again"`, l.String())
	})
}

func FuzzRing(f *testing.F) {
	f.Add([]byte(`[{"period":1,"secret":"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}]`), int64(1))
	f.Add([]byte(`[]`), int64(0))
	f.Add([]byte(`null`), int64(-1))
	f.Add([]byte(`[{"period":-9223372036854775808}]`), int64(5))
	f.Fuzz(func(t *testing.T, text []byte, hours int64) {
		keys, err := parseRing(text)
		if err != nil {
			return
		}
		now := time.Unix(hours%1e6*3600, 0)
		r := &ring{listener: "public", keys: completed(keys, periodAt(now))}
		if n := len(r.keys); n > mostRingKeys+2 || !complete(r.keys, periodAt(now)) {
			t.Errorf("%d keys, complete: %v", n, complete(r.keys, periodAt(now)))
		}
		if r.seals(now).current == nil {
			t.Error("nothing seals")
		}
	})
}
