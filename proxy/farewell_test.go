package proxy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/trackgate/trackgate/internal/testbed"
)

// everything is the last stream of the first GOAWAY: nothing is refused by it.
var everything = testbed.GoAway{Last: 1<<31 - 1, Code: http2.ErrCodeNo}

// GOAWAY is said twice, so that no request is lost that was on its way (RFC 9113
// section 6.8).
func TestADrainLosesNoStreamThatWasOnItsWay(t *testing.T) {
	t.Parallel()
	backend, ready := paced(t, 3)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m}"))
	frames := edge.Frames(t, testbed.Way{})
	running := frames.Event(t, "/track", "0")
	require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)

	edge.Drain()
	frames.Until(t, "no GOAWAY", func() bool { return len(frames.GoAways) == 1 })
	between := frames.Event(t, "/track", "1") // the PING behind the GOAWAY was not answered yet
	frames.Until(t, "no second GOAWAY", func() bool { return len(frames.GoAways) == 2 })
	late := frames.Event(t, "/track", "2")
	frames.Settle(t)

	assert.Equal(t, []testbed.GoAway{everything, {Last: between.ID, Code: http2.ErrCodeNo}}, frames.GoAways)
	assert.Greater(t, late.ID, frames.GoAways[1].Last, "the client can tell")
	close(ready[1])
	between.Answer(t).HasStatus(200).HasBody("1")
	close(ready[0])
	running.Answer(t).HasStatus(200).HasBody("0")
	assert.Len(t, frames.Left(t), 2)
	assert.False(t, late.Over(), "ignored")
	edge.Ended(t)
	assert.Equal(t, 2, backend.Heads())
}

// Who comes while the gate says that it leaves has something to ask. Sent away before it
// could, it would come again and again.
func TestANewcomerIsSentAwayWithItsFirstRequest(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := serving(t, testbed.HTTP2, testbed.Pool(backend.Addr))
	edge.Retire()

	frames := edge.Frames(t, testbed.Way{})
	frames.Settle(t)
	require.Empty(t, frames.GoAways)
	s := frames.Event(t, "/track", event)
	s.Answer(t).HasStatus(200)
	assert.Equal(t, []testbed.GoAway{everything, {Last: s.ID, Code: http2.ErrCodeNo}}, frames.Left(t))

	silent := edge.Frames(t, testbed.Way{})
	assert.Equal(t, []testbed.GoAway{everything, {Last: 0, Code: http2.ErrCodeNo}}, silent.Left(t))
}

// A body that is on its way when a drain begins is taken to its end.
func TestADrainTakesABodyToItsEnd(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t, testbed.Says("done"))
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m}"))
	sizes := []int{20_000, 200_000}
	var streams []*testbed.Stream
	frames := edge.Frames(t, testbed.Way{})
	for _, size := range sizes {
		s := frames.Open(t, false, post...)
		s.Data(t, text(size)[:size/2], false)
		streams = append(streams, s)
	}
	frames.Settle(t)

	edge.Drain()

	frames.Until(t, "no second GOAWAY", func() bool { return len(frames.GoAways) == 2 })
	for i, s := range streams {
		s.Data(t, text(sizes[i])[sizes[i]/2:], true)
		s.Answer(t).HasStatus(200).HasBody("done")
	}
	frames.Left(t)
	edge.Ended(t)
	assert.Equal(t, 220_000, len(backend.Next(t).Body)+len(backend.Next(t).Body))
}

func TestAClientIsToldBeforeItsIdleConnectionEnds(t *testing.T) {
	t.Parallel()
	drain := func(edge *testbed.Gate) { edge.Drain() }
	nothing := func(*testbed.Gate) {}
	for name, row := range map[string]struct {
		keep string
		wait func(*testing.T)
		end  func(*testbed.Gate)
	}{
		"awake, drained":             {"75s", func(*testing.T) {}, drain},
		"asleep, drained":            {"75s", asleep, drain},
		"awake, for too long":        {"300ms", func(*testing.T) {}, nothing},
		"asleep, for too long":       {"2s", asleep, nothing},
		"never asked, drained":       {"75s", nil, drain},
		"never asked, for too long":  {"300ms", nil, nothing},
		"never asked, through sleep": {"1300ms", nil, nothing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := testbed.Backend(t)
			edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m, keep_alive: "+row.keep+"}"))
			frames := edge.Frames(t, testbed.Way{})
			last := uint32(0)
			if row.wait != nil {
				s := frames.Event(t, "/track", event)
				s.Answer(t).HasStatus(200)
				last = s.ID
				row.wait(t)
			} else {
				frames.Settle(t) // the preface has come
			}
			row.end(edge)
			said := frames.Left(t)
			require.NotEmpty(t, said)
			assert.Equal(t, testbed.GoAway{Last: last, Code: http2.ErrCodeNo}, said[len(said)-1])
			edge.Shows(t, testbed.HTTP2.Connections(), 0)
		})
	}
}

func TestAConnectionHasAllItsStreamsAndThenEnds(t *testing.T) {
	t.Parallel()
	backend := testbed.Backend(t)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Section("limits: {streams_per_connection: 100}"))
	frames := edge.Frames(t, testbed.Way{})
	var last uint32
	for range 100 {
		s := frames.Event(t, "/track", event)
		s.Answer(t).HasStatus(200)
		last = s.ID
	}
	assert.Equal(t, []testbed.GoAway{everything, {Last: last, Code: http2.ErrCodeNo}}, frames.Left(t))
	edge.Post(t, "/track", event).HasStatus(200)
}

// A client that leaves gets the answers that are under way.
func TestAClientThatLeavesGetsItsAnswers(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*testing.T, *testbed.Frames){
		"by GOAWAY": func(t *testing.T, f *testbed.Frames) {
			f.Write(t, func(w *http2.Framer) error { return w.WriteGoAway(0, http2.ErrCodeNo, nil) })
		},
		"by closing its side": func(t *testing.T, f *testbed.Frames) {
			require.NoError(t, f.Conn.(interface{ CloseWrite() error }).CloseWrite())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend, ready := paced(t, 1)
			edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr))
			frames := edge.Frames(t, testbed.Way{})
			s := frames.Event(t, "/track", "0")
			require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)
			leave(t, frames)
			close(ready[0])
			s.Answer(t).HasStatus(200).HasBody("0")
			frames.Left(t)
			edge.NextLogLine(t).Has("status", 200).Has("reason", "ok")
			edge.Shows(t, testbed.HTTP2.Connections(), 0)
		})
	}
}

// What breaks the framing ends the connection, and the client is told why.
func TestAMistakeInTheFramingEndsTheConnectionAndSaysSo(t *testing.T) {
	t.Parallel()
	backend, ready := paced(t, 1)
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr))
	frames := edge.Frames(t, testbed.Way{})
	s := frames.Event(t, "/track", "0")
	require.Eventually(t, func() bool { return backend.Heads() == 1 }, testbed.Patience, tick)
	frames.Write(t, func(w *http2.Framer) error { return w.WriteRawFrame(http2.FramePushPromise, 0, 1, nil) })
	assert.Equal(t, []testbed.GoAway{{Last: s.ID, Code: http2.ErrCodeProtocol}}, frames.Left(t))
	close(ready[0])
	edge.NextLogLine(t).Has("status", 200).Has("reason", "client_closed").Has("attempts", 1)
	edge.Shows(t, testbed.HTTP2.Connections(), 0)
}

// A client writes while it reads. Were the connection closed as soon as all is written, the
// system would answer that with a reset, and throw away what the client has not read.
func TestADrainLeavesTheTimeToReadWhatWasWritten(t *testing.T) {
	t.Parallel()
	const size = 700_000
	backend := testbed.Backend(t, testbed.Says(text(size)))
	edge := testbed.HTTP2.Edge(t, testbed.Pool(backend.Addr), testbed.Section("timeouts: {drain: 1m}"))
	frames := edge.Frames(t, testbed.Way{})
	s := frames.Event(t, "/track", event)
	edge.NextLogLine(t).Has("status", 200).Has("bytes_out", size)

	edge.Drain()

	for end := time.After(2 * time.Second); end != nil; { // the gate waits for one of them for an answer to its PING
		select {
		case <-end:
			end = nil
		case <-time.After(50 * time.Millisecond):
			frames.Write(t, func(w *http2.Framer) error { return w.WriteWindowUpdate(0, 1) })
		}
	}
	s.Answer(t).HasStatus(200).HasBody(text(size))
	assert.Len(t, frames.Left(t), 2)
	edge.Ended(t)
}
