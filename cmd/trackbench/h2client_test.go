package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestH2ClientSendsTheEventOfTheOthersAndNothingElse(t *testing.T) {
	var seen seenRequests
	g := judgingGate(t, func(*tls.Config) {}, seen.judge)

	c, err := g.connectH2(t.Context(), 7)

	require.NoError(t, err)
	assert.Contains(t, c.conn.LocalAddr().String(), "127.0.0.7:")
	for range 3 {
		require.NoError(t, c.post([]byte(eventBody())))
	}
	require.NoError(t, c.close())
	require.Len(t, seen.heads, 3)
	for i, h := range seen.heads {
		isTheEvent(t, h, seen.bodies[i])
		assert.Equal(t, 7, bytes.Count(h, []byte("\r\n")), "%s", h)
	}
}

func TestH2ClientRefusesAGateWithoutHTTP2(t *testing.T) {
	for _, row := range []struct {
		name      string
		protocols []string
		fails     string
	}{
		{"speaks HTTP/1.1 alone", []string{"http/1.1"}, "handshake: "},
		{"agrees on nothing", nil, `handshake: the protocol is "", wanted h2`},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := testGate(t, "200 OK", func(c *tls.Config) { c.NextProtos = row.protocols })

			_, err := g.connectH2(t.Context(), 2)

			assert.ErrorContains(t, err, row.fails)
		})
	}
}

// script is what a proxy says on one connection, which it gets once the event is read.
type script func(t *testing.T, frames *http2.Framer)

// scriptedClient is connected to a proxy that follows the script.
func scriptedClient(t *testing.T, say script) *h2Client {
	t.Helper()
	folder := testCertificate(t)
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, certificateFile), filepath.Join(folder, keyFile))
	require.NoError(t, err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: bothProtocols()})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		conn, err := listener.Accept()
		if !assert.NoError(t, err) {
			return
		}
		defer conn.Close()
		say(t, afterTheEvent(t, conn))
		_ = conn.(*tls.Conn).CloseWrite() // the client may have closed, after what it does not take
		_, _ = io.Copy(io.Discard, conn)  // until it has
	}()
	c, err := gate{address: listener.Addr().String(), leaf: pair.Certificate[0]}.connectH2(t.Context(), 2)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.close() // the proxy may have closed already
		<-ended
		require.NoError(t, listener.Close())
	})
	return c
}

// afterTheEvent reads up to the end of the first request.
func afterTheEvent(t *testing.T, conn net.Conn) *http2.Framer {
	preface := make([]byte, len(http2.ClientPreface))
	_, err := io.ReadFull(conn, preface)
	assert.NoError(t, err)
	assert.Equal(t, http2.ClientPreface, string(preface))
	frames := http2.NewFramer(conn, conn)
	for {
		frame, err := frames.ReadFrame()
		if data, ok := frame.(*http2.DataFrame); !assert.NoError(t, err) || ok && data.StreamEnded() {
			return frames
		}
	}
}

// answers writes a whole answer.
func answers(t *testing.T, frames *http2.Framer) {
	beginsToAnswer(t, frames, 1)
	assert.NoError(t, frames.WriteData(1, true, []byte(answerBody())))
}

func beginsToAnswer(t *testing.T, frames *http2.Framer, stream uint32) {
	var block bytes.Buffer
	assert.NoError(t, hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"}))
	assert.NoError(t, frames.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndHeaders: true}))
}

func TestH2ClientAgreesOnSettingsAndAnswersPings(t *testing.T) {
	heard := make(chan []http2.FrameType, 1)
	c := scriptedClient(t, func(t *testing.T, frames *http2.Framer) {
		answers(t, frames) // before the settings: the client waits for these nevertheless
		assert.NoError(t, frames.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}))
		assert.NoError(t, frames.WritePing(false, [8]byte{1}))
		assert.NoError(t, frames.WriteWindowUpdate(0, 1))
		assert.NoError(t, frames.WriteSettingsAck())
		var types []http2.FrameType
		for range 2 {
			frame, err := frames.ReadFrame()
			if !assert.NoError(t, err) {
				break
			}
			assert.True(t, frame.Header().Flags.Has(http2.FlagSettingsAck), "%v", frame.Header()) // a ping has it too
			types = append(types, frame.Header().Type)
		}
		heard <- types
	})

	require.NoError(t, c.post([]byte(eventBody())))

	assert.Equal(t, []http2.FrameType{http2.FrameSettings, http2.FramePing}, <-heard)
	assert.Zero(t, c.fields.MaxDynamicTableSize())
}

func TestH2ClientFailsWhenTheProxy(t *testing.T) {
	for _, row := range []struct {
		name  string
		say   script
		fails string
	}{
		{"goes away", func(t *testing.T, frames *http2.Framer) {
			assert.NoError(t, frames.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil))
		}, "answer: unexpected [FrameHeader GOAWAY "},
		{"resets the stream", func(t *testing.T, frames *http2.Framer) {
			assert.NoError(t, frames.WriteRSTStream(1, http2.ErrCodeRefusedStream))
		}, "answer: unexpected [FrameHeader RST_STREAM "},
		{"answers another stream", func(t *testing.T, frames *http2.Framer) { beginsToAnswer(t, frames, 3) }, "belongs to no request"},
		{"lets no event through", func(t *testing.T, frames *http2.Framer) {
			assert.NoError(t, frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 994}))
		}, "answer: a window of 994 bytes, less than an event"},
		{"answers a ping that nobody sent", func(t *testing.T, frames *http2.Framer) {
			assert.NoError(t, frames.WritePing(true, [8]byte{}))
		}, "answer: an answer to no ping"},
		{"never acknowledges the settings", func(t *testing.T, frames *http2.Framer) {
			assert.NoError(t, frames.WriteSettings())
			answers(t, frames)
		}, "answer: EOF"},
		{"never sends settings", func(t *testing.T, frames *http2.Framer) {
			assert.NoError(t, frames.WriteSettingsAck())
			answers(t, frames)
		}, "answer: EOF"},
		{"closes without a word", func(*testing.T, *http2.Framer) {}, "answer: EOF"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := scriptedClient(t, row.say).post([]byte(eventBody()))

			assert.ErrorContains(t, err, row.fails)
		})
	}
}

func TestConnectH2EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := testGate(t, "200 OK", func(*tls.Config) {}).connectH2(ctx, 2)

	assert.ErrorIs(t, err, context.Canceled)
}
