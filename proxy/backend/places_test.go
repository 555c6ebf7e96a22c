package backend

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sharing are patient options of backends that share so many places.
func sharing(most int, spare func() bool) Options {
	o := patient
	o.Places = NewPlaces(spare)
	o.Places.SetMost(most)
	return o
}

func none() bool { return false }

func TestWhoFindsNoPlaceWaitsForOne(t *testing.T) {
	k := backendThat(t, sharing(1, none), saying(answer))
	for name, end := range map[string]func(*Conn){
		"closed":      (*Conn).Close,
		"put back":    func(c *Conn) { k.Put(c, time.Now()) },
		"interrupted": (*Conn).Interrupt,
	} {
		first := used(t, k, 1)[0]
		got := make(chan *Conn)
		go func() {
			c, err := k.Dial(context.Background())
			assert.NoError(t, err, name)
			got <- c
		}()
		require.Eventually(t, k.opts.Places.wanted, soon, time.Millisecond, name)
		end(first)
		c := <-got
		assert.False(t, c.Reused(), name)
		first.Close()
		c.Close()
		assert.Zero(t, k.opts.Places.taken, "%s: each gives its place back once", name)
		assert.Zero(t, k.Len(), name)
	}
}

func TestWhatIsKeptUnusedMakesRoomForAnother(t *testing.T) {
	var one, other *Conns
	o := sharing(2, func() bool { return one.Spare() || other.Spare() })
	one, other = backendThat(t, o, saying(answer)), backendThat(t, o, saying(answer))
	kept := used(t, one, 2)
	for _, c := range kept {
		one.Put(c, time.Now())
	}
	dial(t, other)
	assert.Equal(t, 1, one.Len())
	assert.Same(t, kept[1], one.Kept(time.Now()), "the one used last stays")
}

// Whoever is refused a place says nothing of the backend by it, and keeps nobody from one.
func TestNoPlaceIsTheGatesOwnWant(t *testing.T) {
	o := sharing(1, none)
	o.Connect = 10 * time.Millisecond
	k := backendThat(t, o, saying(answer))
	c := dial(t, k)
	_, err := k.Dial(context.Background())
	var failed *ResultError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, ConnectFailed, failed.Kind)
	assert.ErrorIs(t, err, syscall.EMFILE)
	c.Close()
	dial(t, k).Close()
	assert.Zero(t, o.Places.taken)
	assert.Empty(t, o.Places.line)
}

func TestAConnectionThatIsNotMadeGivesItsPlaceBack(t *testing.T) {
	o := sharing(1, none)
	k := New("127.0.0.1:1", o).until(t)
	for range 3 {
		_, err := k.Dial(context.Background())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
	assert.Zero(t, o.Places.taken)
}

func TestPlacesAreNeverTooMany(t *testing.T) {
	p, most := NewPlaces(none), 3
	p.SetMost(most)
	var all sync.WaitGroup
	var mu sync.Mutex
	in, highest := 0, 0
	for range 50 {
		all.Go(func() {
			for range 20 {
				assert.NoError(t, p.take(soon))
				mu.Lock()
				in++
				highest = max(highest, in)
				mu.Unlock()
				mu.Lock()
				in--
				mu.Unlock()
				p.give()
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, highest, most)
	assert.Zero(t, p.taken)
	assert.False(t, p.wanted())
}

func TestFewerPlacesCountFromTheNextOneOn(t *testing.T) {
	p := NewPlaces(none)
	require.NoError(t, p.take(0), "any number")
	require.NoError(t, p.take(0))
	p.SetMost(1)
	require.Error(t, p.take(0))
	p.give()
	require.Error(t, p.take(0))
	p.give()
	require.NoError(t, p.take(0))
	require.NoError(t, (*Places)(nil).take(0))
}

// The table of files may be full although there are places: of the whole machine, say.
func TestAPlaceWithoutAFileDescriptorIsExchanged(t *testing.T) {
	var asked atomic.Int64
	p := NewPlaces(func() bool { asked.Add(1); return false })
	p.SetMost(5)
	require.NoError(t, p.take(0))
	require.NoError(t, p.take(0))
	done := make(chan error)
	go func() { done <- p.exchange(soon) }()
	require.Eventually(t, p.wanted, soon, time.Millisecond)
	p.give() // the other one leaves
	require.NoError(t, <-done)
	assert.Equal(t, 1, p.taken, "the one that was exchanged")
	assert.EqualValues(t, 1, asked.Load(), "what is kept unused is asked for first")

	require.NoError(t, p.take(0))
	for range 2 {
		go func() { done <- p.exchange(10 * time.Millisecond) }()
	}
	assert.ErrorIs(t, <-done, syscall.EMFILE, "nobody leaves anything but those who wait for it")
	assert.ErrorIs(t, <-done, syscall.EMFILE)
	assert.Zero(t, p.taken)
	require.NoError(t, p.take(0))
	require.ErrorIs(t, p.exchange(0), syscall.EMFILE)
	assert.Zero(t, p.taken)
	require.ErrorIs(t, (*Places)(nil).exchange(0), syscall.EMFILE)
}
