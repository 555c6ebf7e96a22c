package proxy

import (
	"net"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/backend"
)

func TestAPanicOfAnUploadEndsItsExchangeAlone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	bc, err := backend.New(l.Addr().String(), backend.Options{Connect: time.Second, Response: time.Second}).Dial(t.Context())
	require.NoError(t, err)
	u := &upload{
		gate: &Gate{parts: Parts{Log: zerolog.Nop(), Metrics: metrics.New(metrics.Build{})}},
		bc:   bc, done: make(chan struct{}),
	}

	u.run(nil) // there is no stream to read from

	assert.True(t, u.ended())
	assert.Equal(t, refused(reason.ClientClosed), u.err)
	assert.Error(t, bc.Write([]byte("x")), "nobody waits for an answer to half a request")
}
