package proxy

import (
	"bytes"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
)

// maxHidden is how much of a hidden text goes to the log, in bytes.
const maxHidden = 2 << 10

// hideError answers a backend's 500 in our own words; what the backend said
// goes to the log, bounded.
func (g *Gate) hideError(x *exchange) error {
	text := make([]byte, 0, maxHidden)
	for len(text) < maxHidden && time.Since(x.asked) < x.listener.pool.settings.Timeouts.Response {
		p, last, err := x.bc.ReadBody()
		text = append(text, p[:min(len(p), maxHidden-len(text))]...)
		if last || err != nil {
			break
		}
	}
	text = bytes.ToValidUTF8(text, []byte("?")) // the cut may go through a letter
	g.parts.Log.Warn().Str("listener", x.listener.name).Str("backend", x.to.addr).
		Bytes("request_id", x.requestID()).Bytes("answer", text).Msg("a backend's 500 was hidden")
	x.release()
	return refused(reason.BackendError)
}
