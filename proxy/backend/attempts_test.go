package backend

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// heard is what was told, in order.
type heard struct {
	mu  sync.Mutex
	all []bool
}

func (h *heard) tell(slow bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, slow)
}

func (h *heard) so(t *testing.T, want ...bool) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	assert.Equal(t, want, h.all)
}

func TestAnAttemptIsSlowAfterTwentyMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		a := &attempts{tell: h.tell}
		one := a.begin()
		<-time.After(slowAtLeast - 1)
		h.so(t)
		<-time.After(2)
		h.so(t, true)
		one.end(false)
		h.so(t, true, false)
	})
}

func TestAnAttemptThatEndsInTimeSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		a := &attempts{tell: h.tell}
		for _, ok := range []bool{true, false} {
			one := a.begin()
			<-time.After(slowAtLeast - 1)
			one.end(ok)
			<-time.After(time.Second)
		}
		h.so(t)
	})
}

// Where connecting takes its time, it may take four times that.
func TestSlowIsWhatTakesLongerThanUsual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		a := &attempts{tell: h.tell}
		one := a.begin()
		<-time.After(15 * time.Millisecond)
		one.end(true)
		require.Equal(t, 80*time.Millisecond, a.patience())

		two := a.begin()
		<-time.After(79 * time.Millisecond)
		h.so(t)
		<-time.After(2 * time.Millisecond)
		h.so(t, true)
		two.end(false)
		assert.Equal(t, 80*time.Millisecond, a.patience(), "what failed says nothing")
		h.so(t, true, false)
	})
}

func TestTheUsualTimeIsSmoothed(t *testing.T) {
	a := &attempts{}
	a.observe(8 * time.Millisecond)
	a.observe(16 * time.Millisecond)
	assert.Equal(t, slowAtLeast+4*9*time.Millisecond, a.patience())
	for range 100 {
		a.observe(time.Millisecond)
	}
	assert.InDelta(t, slowAtLeast+4*time.Millisecond, a.patience(), float64(time.Microsecond))
}

func TestTheLastSlowAttemptEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		a := &attempts{tell: h.tell}
		one, two := a.begin(), a.begin()
		<-time.After(time.Second)
		three := a.begin()
		h.so(t, true)
		one.end(false)
		three.end(true)
		h.so(t, true)
		two.end(false)
		h.so(t, true, false)
	})
}

// Whoever is told may be slow or connect itself; the last word is the true one.
func TestTellingIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, gate := &heard{}, make(chan struct{})
		a := &attempts{}
		a.tell = func(slow bool) {
			a.begin().end(true)
			h.tell(slow)
			<-gate
		}
		one := a.begin()
		<-time.After(time.Second)
		h.so(t, true) // and the one who is told is still at it
		one.end(false)
		h.so(t, true)
		gate <- struct{}{}
		h.so(t, true, false)
		gate <- struct{}{}
	})
}

func TestWithoutAListenerNothingIsTimed(t *testing.T) {
	a := &attempts{}
	one := a.begin()
	assert.Nil(t, one.timer)
	one.end(true)
}

// A backend whose queue is full lets attempts hang.
func TestABackendThatDoesNotAcceptIsSlow(t *testing.T) {
	told := make(chan bool, 16)
	opts := Options{Connect: 500 * time.Millisecond, Slow: func(slow bool) { told <- slow }}
	k := New(fullListener(t), opts)
	var err error
	for range 5 { // the first ones fill the queue
		var c *Conn
		if c, err = k.Dial(t.Context()); err != nil {
			break
		}
		t.Cleanup(c.Close)
	}
	failure(t, err, ConnectFailed)
	slow := <-told
	for want := true; slow; want = !want { // a busy machine may make a quick attempt slow
		require.Equal(t, want, slow)
		slow = <-told
	}
	assert.Empty(t, told)
}
