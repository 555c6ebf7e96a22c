package wire_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

func TestVersionsAreSpelledAsInAccessLogs(t *testing.T) {
	assert.Equal(t, "HTTP/1.1", wire.HTTP11.String())
	assert.Equal(t, "HTTP/1.0", wire.HTTP10.String())
}

func TestResetForgetsTheMessage(t *testing.T) {
	req := wire.Request{Method: []byte("POST"), Version: wire.HTTP10, Length: 3, Close: true, Expects: true, Upgrade: true}
	req.Fields.Add(wire.Host, []byte("host"), []byte("a"))
	assert.True(t, req.HasBody())
	req.Reset()
	assert.Zero(t, req.Fields.Len())
	assert.False(t, req.Fields.Has(wire.Host))
	assert.False(t, req.HasBody() || req.Close || req.Expects || req.Upgrade || req.Method != nil)
	assert.Equal(t, wire.HTTP11, req.Version)
	assert.True(t, (&wire.Request{Length: wire.Unknown}).HasBody())

	res := wire.Response{Status: 200, Length: 3, Chunked: true, Close: true}
	res.Fields.Add(wire.Date, []byte("date"), []byte("now"))
	res.Reset()
	assert.Zero(t, res.Fields.Len())
	assert.False(t, res.Chunked || res.Close || res.Status != 0 || res.Length != 0)
}

func TestOnlySwitchingIsFinalAmongThe1xx(t *testing.T) {
	for status, want := range map[int]bool{100: true, 101: false, 102: true, 103: true, 199: true, 200: false, 404: false} {
		assert.Equal(t, want, (&wire.Response{Status: status}).Informational(), "%d", status)
	}
}

func TestErrorsCarryTheirReason(t *testing.T) {
	err := fmt.Errorf("reading: %w", &wire.Error{Reason: reason.BodyTooLarge, What: "it is big"})

	assert.EqualError(t, err, "reading: body_too_large: it is big")
	assert.Equal(t, reason.BodyTooLarge, wire.ReasonOf(err, reason.Malformed))
	assert.Equal(t, reason.ClientClosed, wire.ReasonOf(io.EOF, reason.ClientClosed))
	assert.False(t, errors.Is(err, wire.ErrShort))
}
