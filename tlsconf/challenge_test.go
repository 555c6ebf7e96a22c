package tlsconf

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// Anybody may say that it is an authority. While a challenge is pending it is shown a
// certificate, and then has two seconds for its part, whatever the gate's own time is.
func TestAnAuthorityThatStallsIsClosed(t *testing.T) {
	g := newGate(t)
	d := &door{hosts: configs.NewHosts([]configs.Listener{track()}), strangers: strangerConfigs()}
	d.inner, d.guards = []*tls.Config{g.keeper.inner["public"]}, []*guard{nil}
	d.authorities = func(hello *tls.ClientHelloInfo) *tls.Config {
		c := g.keeper.greetAuthority(hello)
		c.GetCertificate = g.keeper.certificate // as if one were pending
		return c
	}
	config := &tls.Config{GetConfigForClient: d.choose}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			t.Parallel()
			client, server := connected(t)
			require.NoError(t, server.SetDeadline(time.Now().Add(10*time.Second)))
			stallsAfter(&tls.Config{NextProtos: []string{ChallengeProtocol}, MaxVersion: version})(client)
			start := time.Now()

			err := tls.Server(server, config).Handshake()

			require.Equal(t, "timeout", HandshakeResult(err), "%v", err)
			require.Less(t, time.Since(start), challengeTime+time.Second)
		})
	}
}

// A name that nobody configured is told so at once, though the client then stays.
func TestAnAuthorityForAnotherHostIsClosedAtOnce(t *testing.T) {
	g := newGate(t)
	conn, err := net.Dial("tcp", g.addr)
	require.NoError(t, err)
	defer conn.Close()
	hello := helloMessage(&tls.Config{ServerName: "other.example.com", NextProtos: []string{ChallengeProtocol}})
	_, err = conn.Write(inRecords(hello))
	require.NoError(t, err)
	start := time.Now()
	end := <-g.ends
	require.Equal(t, "unknown_name", HandshakeResult(end.err))
	require.Less(t, time.Since(start), challengeTime)
}
