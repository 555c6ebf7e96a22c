package metrics

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHealthIsOfAllListeners(t *testing.T) {
	s := New(Build{})
	aDay(s)
	other := s.Listener("other")
	other.Observe(503, 0, 0.1)
	other.Handshake(HandshakeUnknownName)
	other.Handshake(HandshakeClientClosed)
	before := Health{Requests: 7, Failed: 2, Handshakes: uint64(handshakeCount) + 2, FailedHandshakes: uint64(handshakeCount) - 5 + 1}
	assert.Equal(t, before, s.Health())

	aDay(s)
	assert.Equal(t, Health{6, 1, uint64(handshakeCount), uint64(handshakeCount) - 5}, s.Health().Since(before))
}
