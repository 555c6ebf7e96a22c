package tlsconf

import (
	"bytes"
	"crypto/tls"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// newHTTP2Gate serves two listeners on one address: track speaks HTTP/2, gui does
// not. What comes after the handshake is nothing to these tests, so h2 is offered
// here also while the gate as a whole does not speak it.
func newHTTP2Gate(t testing.TB) *gate {
	both := []configs.Listener{track(), gui()}
	both[0].HTTP2 = true
	g := prepared(t, both)
	for _, l := range both {
		g.keeper.inner[l.Name].NextProtos = protocols(l.HTTP2)
	}
	return serve(t, g, both)
}

// offering is a client that knows some protocols.
func (g *gate) offering(name string, protocols ...string) *tls.Config {
	client := g.client(name)
	client.NextProtos = protocols
	return client
}

func TestHTTP11IsOfferedBesideHTTP2(t *testing.T) {
	require.Equal(t, []string{"h2", "http/1.1"}, protocols(true))
	require.Equal(t, []string{"http/1.1"}, protocols(false))
}

func TestOfferFollowsTheSettingsOfTheListener(t *testing.T) {
	set := track()
	set.HTTP2 = true
	g := newGate(t, set, gui())
	require.Equal(t, "h2", g.ok(t, g.offering("track.example.com", "h2", "http/1.1")).NegotiatedProtocol)
	require.Equal(t, "http/1.1", g.ok(t, g.offering("gui.example.com", "h2", "http/1.1")).NegotiatedProtocol)
	g.refusesProtocols(t, g.offering("gui.example.com", "h2"))
}

func TestNameChoosesProtocols(t *testing.T) {
	const grease = "\x0a\x0a" // RFC 8701
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newHTTP2Gate(t)
		for _, test := range []struct {
			name, spoken string
			offered      []string
		}{
			{"track.example.com", "h2", []string{"h2", "http/1.1"}},
			{"track.example.com", "h2", []string{"http/1.1", "h2"}}, // the order is ours
			{"track.example.com", "h2", []string{grease, "h3", "h2"}},
			{"t.example.com", "h2", []string{"h2"}},
			{"track.example.com", "http/1.1", []string{"http/1.1"}},
			{"track.example.com", "", nil},
			{"gui.example.com", "http/1.1", []string{"h2", "http/1.1"}},
			{"gui.example.com", "", nil},
		} {
			client := g.offering(test.name, test.offered...)
			client.MaxVersion = version
			require.Equal(t, test.spoken, g.ok(t, client).NegotiatedProtocol, "%s, offered %q", test.name, test.offered)
		}
	})
}

func TestUnknownProtocolsAreRefused(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newHTTP2Gate(t)
		for _, offered := range [][]string{{"h3"}, {"h2c"}, {"H2"}, {"HTTP/1.1"}, {"http/1.0"}, {"h2 "}, {"spdy/3.1", "h2-14"}} {
			for _, name := range []string{"track.example.com", "gui.example.com"} {
				client := g.offering(name, offered...)
				client.MaxVersion = version
				g.refusesProtocols(t, client)
			}
		}
		client := g.offering("gui.example.com", "h2")
		client.MaxVersion = version
		g.refusesProtocols(t, client)
	})
}

// noApplicationProtocol is the whole record of the alert (RFC 7301, 3.2).
const noApplicationProtocol = "\x15\x03\x03\x00\x02\x02\x78"

// refusesProtocols demands the alert of RFC 7301, 3.2, and its count.
func (g *gate) refusesProtocols(t *testing.T, client *tls.Config) {
	t.Helper()
	_, end, err := g.visit(t, client)
	require.ErrorContains(t, err, "no application protocol", "offered %q", client.NextProtos)
	require.Equal(t, "no_shared_protocol", HandshakeResult(end.err))
}

// An unknown name is an unknown name, whatever the client would speak.
func TestProtocolsDoNotHideAnUnknownName(t *testing.T) {
	g := newHTTP2Gate(t)
	for _, offered := range []string{"h2", "h3"} {
		_, end, err := g.visit(t, g.offering("no.example.com", offered))
		require.ErrorContains(t, err, "unrecognized name")
		require.Equal(t, "unknown_name", HandshakeResult(end.err))
	}
}

// A session belongs to no protocol: it is agreed on anew in each handshake (RFC
// 7301, 3.1).
func TestSessionIsResumedWithAnotherProtocol(t *testing.T) {
	eachVersion(t, func(t *testing.T, version uint16) {
		g := newHTTP2Gate(t)
		client := g.offering("track.example.com", "h2", "http/1.1")
		client.MaxVersion, client.ClientSessionCache = version, &oneSession{}
		require.Equal(t, "h2", g.ok(t, client).NegotiatedProtocol)
		for _, test := range []struct {
			offered []string
			spoken  string
		}{
			{[]string{"http/1.1"}, "http/1.1"},
			{[]string{"h2"}, "h2"},
			{nil, ""},
			{[]string{"h2", "http/1.1"}, "h2"},
		} {
			client.NextProtos = test.offered
			state := g.ok(t, client)
			require.True(t, state.DidResume, "%q", test.offered)
			require.Equal(t, test.spoken, state.NegotiatedProtocol)
		}
		client.NextProtos = []string{"h3"}
		g.refusesProtocols(t, client)
	})
}

// crypto/tls takes the whole of a hostile list into its error. No byte of it may
// reach a log as it is, nor keep us from what we know.
func TestHostileProtocolsAreEscaped(t *testing.T) {
	g := newHTTP2Gate(t)
	hostile := slices.Repeat([]string{strings.Repeat("\x1b[31m\r\n", 36) + "abc"}, 255)
	for name, offered := range map[string][]string{
		"255 names of 255 bytes":    hostile,
		"more than 30,000 names":    slices.Repeat([]string{"\n"}, 32000),
		"ours and line breaks":      {"h2\r\n", "http/1.1\r\nX: y"},
		"ours and a byte of zero":   {"h2\x00", "http/1.1\x00"},
		"ours behind an escape":     {"\x1b[2Jh2"},
		"ours in one, with a comma": {"h2,http/1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			answer, end := g.send(t, inRecords(shortest(g.offering("track.example.com", offered...))))

			require.Equal(t, "no_shared_protocol", HandshakeResult(end.err), "%.100v", end.err)
			require.Equal(t, noApplicationProtocol, string(answer))
			for _, c := range []byte(end.err.Error()) {
				require.GreaterOrEqual(t, c, byte(' '), "a control byte in the text for the log")
			}
		})
	}
	t.Run("the last of 255 is one of ours", func(t *testing.T) {
		answer, _ := g.send(t, inRecords(shortest(g.offering("track.example.com", append(hostile[:254:254], "h2")...))))
		require.Contains(t, string(answer), "\x00\x10\x00\x05\x00\x03\x02h2", "in the ServerHello")
	})
}

// shortest is the hello of TLS 1.2, which leaves the most room for names.
func shortest(client *tls.Config) []byte {
	client.MaxVersion = tls.VersionTLS12
	return helloMessage(client)
}

// RFC 7301, 3.1: names are not empty, and neither is their list.
func TestProtocolsWithoutANameAreRefused(t *testing.T) {
	g := newHTTP2Gate(t)
	hello := helloMessage(g.offering("track.example.com", "xyz"))
	const list = "\x00\x10\x00\x06\x00\x04\x03xyz"
	require.Contains(t, string(hello), list)
	for _, broken := range []string{
		"\x00\x10\x00\x06\x00\x04\x00\x02h2", // an empty name in front of ours
		"\x00\x10\x00\x06\x00\x04\x02h2\x00", // and behind
		"\x00\x10\x00\x06\x00\x04\x04h2/1",   // a name that is longer than the list
		"\x00\x10\x00\x06\x00\x00\x02h2/1",   // an empty list and more
	} {
		answer, end := g.send(t, inRecords(bytes.Replace(hello, []byte(list), []byte(broken), 1)))
		require.Equal(t, "failed", HandshakeResult(end.err), "%q: %v", broken, end.err)
		require.LessOrEqual(t, len(answer), 7, "more than an alert")
	}
}
