package faults

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPassChangesNothing(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	c := dial(t, p.Addr)
	c.says("one").hears("one")
	c.says("two").hears("two")
	assert.Equal(t, 1, p.Made())
	assert.Equal(t, 1, p.Open())

	dial(t, p.Addr).says("three").hears("three")
	assert.Equal(t, 2, p.Made())
}

func TestAnEndIsPassedOnAlone(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	c := dial(t, p.Addr).says("last words")
	require.NoError(t, c.CloseWrite())
	c.hears("last words")
	c.ends(io.EOF)
	opens(t, p, 0)
}

func TestLatencyHoldsAnswersBack(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	c := dial(t, p.Addr)
	p.Set(Latency(50 * time.Millisecond))
	begin := time.Now()
	c.says("late").hears("late")
	assert.GreaterOrEqual(t, time.Since(begin), 50*time.Millisecond)
}

func TestAHeldAnswerDoesNotOutliveItsConnection(t *testing.T) {
	e := startEcho(t)
	p := NewProxy(t, e.address)
	p.Set(Latency(time.Hour))
	c := dial(t, p.Addr).says("never")
	(<-e.conns).CloseWrite()
	c.SetLinger(0)
	c.Close()
	opens(t, p, 0)
}

func TestRefuseLeavesOpenConnectionsAloneAndComesBackAtTheSamePort(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	c := dial(t, p.Addr)
	c.says("before").hears("before")
	for range 3 {
		p.Set(Refuse())
		_, err := net.Dial("tcp", p.Addr)
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		c.says("still").hears("still")

		p.Set(Pass())
		dial(t, p.Addr).says("back").hears("back")
	}
}

func TestResetEndsOldAndNewConnections(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	c := dial(t, p.Addr)
	c.says("before").hears("before")
	p.Set(Reset())
	c.ends(syscall.ECONNRESET)
	resets(t, p.Addr)
	opens(t, p, 0)
}

func TestABlackholeSwallowsNewConnections(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	before := dial(t, p.Addr)
	before.says("one").hears("one")
	p.Set(Blackhole())
	swallowed := dial(t, p.Addr).says("anybody?")
	swallowed.hearsNothing()
	before.says("two").hears("two")

	opens(t, p, 2)
	p.Set(Pass())
	swallowed.ends(syscall.ECONNRESET)
	before.says("three").hears("three")
}

func TestAVanishedHostIsSilentInBothDirections(t *testing.T) {
	e := startEcho(t)
	p := NewProxy(t, e.address)
	before := dial(t, p.Addr)
	before.says("one").hears("one")
	p.Set(HalfOpen())
	before.says("two").hearsNothing()
	(<-e.conns).Close()
	before.hearsNothing()
	after := dial(t, p.Addr).says("three")
	after.hearsNothing()
	assert.Empty(t, e.conns, "nothing reaches the backend")

	p.Set(Pass())
	before.ends(syscall.ECONNRESET)
	after.ends(syscall.ECONNRESET)
	dial(t, p.Addr).says("four").hears("four")
}

func TestSlicesArriveWhole(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	p.Set(Slice(3))
	text := strings.Repeat("0123456789", 20)
	dial(t, p.Addr).says(text).hears(text)
}

// pieces keeps each write for itself.
type pieces struct{ written []string }

func (p *pieces) Write(b []byte) (int, error) {
	if len(p.written) == 3 {
		return 0, io.ErrClosedPipe
	}
	p.written = append(p.written, string(b))
	return len(b), nil
}

func TestSlicesAreWrittenOneByOne(t *testing.T) {
	var to pieces
	require.NoError(t, writeSliced(&to, []byte("0123456"), 3))
	assert.Equal(t, []string{"012", "345", "6"}, to.written)
	assert.ErrorIs(t, writeSliced(&to, []byte("0"), 3), io.ErrClosedPipe)
}

func TestGarbageStandsInForAnswers(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	p.Set(Garbage())
	c := dial(t, p.Addr)
	c.says("GET / HTTP/1.1\r\n\r\n").hears(noHTTP)
	c.says("GET / HTTP/1.1\r\n\r\n").hears(noHTTP)
}

func TestEveryAnswerIsCutForItself(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	c := dial(t, p.Addr)
	c.says("a long one").hears("a long one")
	p.Set(CutAfter(5))
	c.says("four").hears("four")
	c.says("sixsix").hears("sixsi")
	c.ends(io.EOF)
	opens(t, p, 0)
}

func TestAnAnswerIsCutAcrossItsPieces(t *testing.T) {
	e := startEcho(t)
	p := NewProxy(t, e.address)
	p.Set(CutAfter(8))
	c := dial(t, p.Addr).says("first ")
	c.hears("first ")
	_, err := (<-e.conns).Write([]byte("second"))
	require.NoError(t, err)
	c.hears("se")
	c.ends(io.EOF)
}

func TestABackendCanDieAsItIsAboutToAnswer(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	p.Set(CutAfter(0))
	dial(t, p.Addr).says("hello?").ends(io.EOF)
}

func TestStopLosesNothing(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	before := dial(t, p.Addr)
	before.says("one").hears("one")
	p.Stop()
	before.says("two").hearsNothing()
	after := dial(t, p.Addr).says("three")
	after.hearsNothing()

	p.Resume()
	before.hears("two")
	after.hears("three")
}

func TestADeadBackendResets(t *testing.T) {
	p := NewProxy(t, Address(t))
	resets(t, p.Addr)
	opens(t, p, 0)
}

func TestABackendsResetIsPassedOn(t *testing.T) {
	e := startEcho(t)
	p := NewProxy(t, e.address)
	c := dial(t, p.Addr)
	c.says("hello").hears("hello")
	conn := <-e.conns
	conn.SetLinger(0)
	conn.Close()
	c.ends(syscall.ECONNRESET)
}

func TestNothingOutlivesTheTest(t *testing.T) {
	var running, stopped, silent client
	var p *Proxy
	e := startEcho(t)
	t.Run("test", func(inner *testing.T) {
		p = NewProxy(inner, e.address)
		running = dial(t, p.Addr)
		running.says("one").hears("one")
		p.Set(Blackhole())
		silent = dial(t, p.Addr)
		opens(inner, p, 2)
		p.Stop()
		stopped = dial(t, p.Addr)
		opens(inner, p, 3)
	})
	for _, c := range []client{running, stopped, silent} {
		c.ends(io.EOF)
	}
	p.Set(Pass())
	_, err := net.Dial("tcp", p.Addr)
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	assert.Zero(t, p.Open())
}

// Modes may change while everybody talks; whoever is not cut off hears what he
// said.
func TestModesChangeUnderLoad(t *testing.T) {
	p := NewProxy(t, startEcho(t).address)
	var talking sync.WaitGroup
	for range 8 {
		talking.Go(func() {
			for range 50 {
				talk(t, p.Addr)
			}
		})
	}
	for range 20 {
		for _, m := range []Mode{Refuse(), Slice(2), Reset(), Blackhole(), CutAfter(3), HalfOpen(), Pass()} {
			p.Set(m)
		}
	}
	talking.Wait()
	opens(t, p, 0)
}

// talk says one thing and accepts any end, but no other words.
func talk(t *testing.T, address string) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte("hello")); err != nil {
		return
	}
	heard := make([]byte, 5)
	n, _ := io.ReadFull(conn, heard)
	assert.True(t, bytes.HasPrefix([]byte("hello"), heard[:n]), "%q", heard[:n])
}
