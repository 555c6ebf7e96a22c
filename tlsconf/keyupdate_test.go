package tlsconf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sealer writes records of TLS 1.3 under a client's keys (RFC 8446, 5.2 and 7.3). The
// client of crypto/tls cannot be made to change them.
type sealer struct {
	secret   []byte
	sequence uint64
}

// label is HKDF-Expand-Label without a context (RFC 8446, 7.1).
func (s *sealer) label(t *testing.T, name string, size int) []byte {
	name = "tls13 " + name
	info := append(binary.BigEndian.AppendUint16(nil, uint16(size)), byte(len(name)))
	info = append(append(info, name...), 0)
	out, err := hkdf.Expand(sha256.New, s.secret, string(info), size)
	require.NoError(t, err)
	return out
}

// seal returns one record that holds content of a type.
func (s *sealer) seal(t *testing.T, kind byte, content []byte) []byte {
	block, err := aes.NewCipher(s.label(t, "key", 16))
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	nonce := s.label(t, "iv", 12)
	for i, b := range binary.BigEndian.AppendUint64(nil, s.sequence) {
		nonce[4+i] ^= b
	}
	s.sequence++
	inner := append(bytes.Clone(content), kind)
	head := binary.BigEndian.AppendUint16([]byte{23, 3, 3}, uint16(len(inner)+gcm.Overhead()))
	return append(head, gcm.Seal(nil, nonce, inner, head)...)
}

// update goes on to the next keys (RFC 8446, 7.2).
func (s *sealer) update(t *testing.T) {
	s.secret, s.sequence = s.label(t, "traffic upd", sha256.Size), 0
}

// established returns a connection after its handshake and what goes on from there.
func established(t *testing.T, g *gate) (net.Conn, *sealer) {
	raw, err := net.Dial("tcp", g.addr)
	require.NoError(t, err)
	t.Cleanup(func() { raw.Close() })
	require.NoError(t, raw.SetDeadline(time.Now().Add(8*time.Second)))
	secrets, client := &bytes.Buffer{}, g.client("track.example.com")
	client.MinVersion, client.KeyLogWriter = tls.VersionTLS13, secrets
	conn := tls.Client(raw, client)
	require.NoError(t, conn.Handshake())
	if conn.ConnectionState().CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		t.Skip("this machine has no AES of its own, so another suite is chosen")
	}
	_, rest, found := strings.Cut(secrets.String(), "CLIENT_TRAFFIC_SECRET_0 ")
	require.True(t, found)
	secret, err := hex.DecodeString(strings.Fields(rest)[1])
	require.NoError(t, err)
	return raw, &sealer{secret: secret}
}

// A client that changes its keys again and again makes the gate derive some each time
// and say so itself, if it asks for that (RFC 8446, 4.6.3).
func TestAFloodOfKeyUpdatesIsBounded(t *testing.T) {
	const updates = 10_000
	for name, request := range map[string]byte{"not answered": 0, "answered": 1} {
		t.Run("one a record, "+name, func(t *testing.T) {
			g := newGate(t)
			raw, s := established(t, g)
			var flood []byte
			for range updates {
				flood = append(flood, s.seal(t, 22, []byte{24, 0, 0, 1, request})...)
				s.update(t)
			}
			flood = append(flood, s.seal(t, 23, []byte{'?'})...)
			go io.Copy(io.Discard, raw) //nolint:errcheck // so that the gate is never held up
			start := time.Now()
			_, _ = raw.Write(flood) // the gate may close before it has read all
			require.ErrorContains(t, (<-g.ends).err, "tls: ")
			require.Less(t, time.Since(start), 5*time.Second)
		})
		t.Run("a hundred in one record, "+name, func(t *testing.T) {
			g := newGate(t)
			raw, s := established(t, g)
			_, err := raw.Write(s.seal(t, 22, bytes.Repeat([]byte{24, 0, 0, 1, request}, 100)))
			require.NoError(t, err)
			_, _ = io.Copy(io.Discard, raw) // to its end
			require.ErrorContains(t, (<-g.ends).err, "tls: ")
		})
	}
}
