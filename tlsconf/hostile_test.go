package tlsconf

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// helloOf returns the first record that a client with this configuration sends.
func helloOf(t *testing.T, client *tls.Config) []byte {
	near, far := net.Pipe()
	go func() {
		defer near.Close()
		_ = tls.Client(near, client).HandshakeContext(context.Background())
	}()
	defer far.Close()
	head := make([]byte, 5)
	_, err := io.ReadFull(far, head)
	require.NoError(t, err)
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	_, err = io.ReadFull(far, body)
	require.NoError(t, err)
	return append(head, body...)
}

// record frames part of a handshake.
func record(part []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{22, 3, 1}, uint16(len(part))), part...)
}

// send gives the gate raw bytes, and returns what comes back until it closes.
func (g *gate) send(t *testing.T, raw []byte) ([]byte, end) {
	conn, err := net.Dial("tcp", g.addr)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, _ = conn.Write(raw) // the gate may close before it has read all
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	return answer, <-g.ends
}

// slicer writes every byte in a segment of its own.
type slicer struct{ net.Conn }

func (s slicer) Write(b []byte) (int, error) {
	for i := range b {
		if n, err := s.Conn.Write(b[i : i+1]); err != nil {
			return i + n, err
		}
	}
	return len(b), nil
}

// recordSplitter sends the ClientHello in two records, cut inside the server name.
type recordSplitter struct {
	net.Conn
	done bool
}

func (s *recordSplitter) Write(b []byte) (int, error) {
	if s.done {
		return s.Conn.Write(b)
	}
	s.done = true
	cut := bytes.Index(b, []byte("example.com"))
	_, err := s.Conn.Write(append(record(b[5:cut]), record(b[cut:])...))
	return len(b), err
}

func TestSplitClientHelloGetsTheSamePolicy(t *testing.T) {
	g := newGate(t)
	for name, split := range map[string]func(net.Conn) net.Conn{
		"segments of one byte": func(c net.Conn) net.Conn { return slicer{c} },
		"two records":          func(c net.Conn) net.Conn { return &recordSplitter{Conn: c} },
	} {
		for host, listener := range map[string]int{"track.example.com": 0, "gui.example.com": 1, "no.example.com": -1} {
			t.Run(name+" "+host, func(t *testing.T) {
				raw, err := net.Dial("tcp", g.addr)
				require.NoError(t, err)
				conn := tls.Client(split(raw), g.client(host))
				defer conn.Close()
				_, _ = conn.Write([]byte{'?'})
				_, err = conn.Read(make([]byte, 1))
				require.Equal(t, listener >= 0, err == nil, "%v", err)
				require.Equal(t, listener, (<-g.ends).listener)
			})
		}
	}
}

func TestGarbageIsRefused(t *testing.T) {
	g := newGate(t)
	hello := helloOf(t, g.client("track.example.com"))
	longALPN := g.client("track.example.com")
	longALPN.CurvePreferences = []tls.CurveID{tls.X25519} // its key share leaves room
	for range 250 {
		longALPN.NextProtos = append(longALPN.NextProtos, strings.Repeat("\x1b[31m\r\n", 36)+"abc")
	}
	for _, test := range []struct {
		name   string
		raw    []byte
		result string
	}{
		{"plain HTTP", []byte("POST /track HTTP/1.1\r\nHost: track.example.com\r\n\r\n"), "not_tls"},
		{"HTTP/2 preface", []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "not_tls"},
		{"SSLv2 hello", []byte{0x80, 0x2e, 0x01, 0x00, 0x02, 0, 0, 0}, "protocol_version"},
		{"SSLv3 hello", oldHello(hello), "protocol_version"},
		{"record of 16 KiB + 1", append([]byte{22, 3, 1, 0x48, 0x01}, make([]byte, 0x4801)...), "failed"},
		{"ClientHello of 64 KiB", longHello(), "failed"},
		{"0-RTT", withExtension(hello, []byte{0, 42, 0, 0}), "failed"},
		{"ALPN of 250 names with control bytes", inRecords(helloMessage(longALPN)), "no_shared_protocol"},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer, end := g.send(t, test.raw)

			require.Equal(t, test.result, HandshakeResult(end.err), "%v", end.err)
			require.LessOrEqual(t, len(answer), 7, "more than an alert")
			for _, c := range []byte(end.err.Error()) {
				require.GreaterOrEqual(t, c, byte(' '), "a control byte in the text for the log")
			}
		})
	}
}

// oldHello turns a ClientHello into one of SSLv3 without extensions.
func oldHello(hello []byte) []byte {
	body := bytes.Clone(hello[9:])
	body[0], body[1] = 3, 0
	end := extensionsOf(body)
	return record(message(body[:end]))
}

// longHello announces a ClientHello of 64 KiB + 1 and begins to send it.
func longHello() []byte {
	return inRecords(append([]byte{1, 1, 0, 1}, make([]byte, 1<<16)...))
}

// withExtension puts an extension in front of the others.
func withExtension(hello, extension []byte) []byte {
	body := hello[9:]
	at := extensionsOf(body)
	old := body[at+2:]
	changed := binary.BigEndian.AppendUint16(bytes.Clone(body[:at]), uint16(len(old)+len(extension)))
	return record(message(append(append(changed, extension...), old...)))
}

// extensionsOf returns where the length of the extensions stands in the body of a
// ClientHello (RFC 8446, 4.1.2).
func extensionsOf(body []byte) int {
	at := 2 + 32
	at += 1 + int(body[at])
	at += 2 + int(binary.BigEndian.Uint16(body[at:]))
	return at + 1 + int(body[at])
}

// message puts the head of a ClientHello in front of its body.
func message(body []byte) []byte {
	return append([]byte{1, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

// inRecords cuts a message into as many records as it takes.
func inRecords(message []byte) []byte {
	var all []byte
	for len(message) > 0 {
		n := min(len(message), 1<<14)
		all = append(all, record(message[:n])...)
		message = message[n:]
	}
	return all
}

// helloMessage returns a whole ClientHello, however many records it takes.
func helloMessage(client *tls.Config) []byte {
	sink := &recorder{}
	_ = tls.Client(sink, client).Handshake()
	var whole []byte
	for raw := sink.Bytes(); len(raw) > 5; {
		n := 5 + int(binary.BigEndian.Uint16(raw[3:]))
		whole, raw = append(whole, raw[5:n]...), raw[n:]
	}
	return whole
}

// recorder is a connection that keeps what is written and has nothing to say.
type recorder struct {
	net.Conn
	bytes.Buffer
}

var errSilent = errors.New("nothing to read")

func (r *recorder) Read([]byte) (int, error)         { return 0, errSilent }
func (r *recorder) Write(b []byte) (int, error)      { return r.Buffer.Write(b) }
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }
