package tlsconf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A client of TLS 1.2 that asks for new keys in the middle of a connection is cut
// off. The client of crypto/tls never does, so its keys are derived again here to
// write the second ClientHello.
func TestRenegotiationIsRefused(t *testing.T) {
	g := newGate(t)
	raw, err := net.Dial("tcp", g.addr)
	require.NoError(t, err)
	heard, secrets := &listener{Conn: raw}, &bytes.Buffer{}
	client := g.client("track.example.com")
	client.MaxVersion, client.KeyLogWriter = tls.VersionTLS12, secrets
	client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	conn := tls.Client(heard, client)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	require.NoError(t, conn.Handshake())

	hello := helloOf(t, client)[5:]
	_, err = raw.Write(sealAsClient(t, secrets.String(), heard.serverRandom(), hello))
	require.NoError(t, err)

	_, err = conn.Read(make([]byte, 1))
	require.ErrorContains(t, err, "remote error")
	require.ErrorContains(t, (<-g.ends).err, "tls: ")
}

// listener keeps what the server sent.
type listener struct {
	net.Conn
	heard []byte
}

func (l *listener) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	l.heard = append(l.heard, b[:n]...)
	return n, err
}

// serverRandom stands behind the heads of record and message and the version.
func (l *listener) serverRandom() []byte { return l.heard[5+4+2:][:32] }

// sealAsClient returns a handshake record under the client's keys, the second one
// after Finished (RFC 5246, 6.2.3.3 and RFC 5288).
func sealAsClient(t *testing.T, secrets string, serverRandom, message []byte) []byte {
	words := strings.Fields(secrets)
	require.Equal(t, "CLIENT_RANDOM", words[0])
	clientRandom, err := hex.DecodeString(words[1])
	require.NoError(t, err)
	master, err := hex.DecodeString(words[2])
	require.NoError(t, err)
	keys := expand(master, append(append([]byte("key expansion"), serverRandom...), clientRandom...))
	block, err := aes.NewCipher(keys[:16])
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	sequence := binary.BigEndian.AppendUint64(nil, 1)
	nonce := append(bytes.Clone(keys[32:36]), sequence...)
	head := append(bytes.Clone(sequence), 22, 3, 3, byte(len(message)>>8), byte(len(message)))
	body := append(bytes.Clone(sequence), gcm.Seal(nil, nonce, message, head)...)
	return append([]byte{22, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

// expand is P_SHA256 (RFC 5246, 5), as far as two rounds go.
func expand(secret, seed []byte) []byte {
	sum := func(parts ...[]byte) []byte {
		h := hmac.New(sha256.New, secret)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	first := sum(seed)
	return append(sum(first, seed), sum(sum(first), seed)...)
}
