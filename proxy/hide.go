package proxy

import (
	"bytes"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/trackgate/trackgate/internal/reason"
)

// maxHidden is how much of a hidden text goes to the log, in bytes.
const maxHidden = 2 << 10

// maxHiddenRate is how many hidden texts a second go to the log: any client can
// provoke a 500, and each as often as it likes.
const maxHiddenRate = 10

// shown replaces what a terminal would act upon, and a letter that was cut in
// two: the text may hold what a client sent.
func shown(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) && r != '\n' {
		return '?'
	}
	return r
}

// hideError answers a backend's 500 in our own words; what the backend said
// goes to the log, bounded.
func (g *Gate) hideError(x *exchange) error {
	text := make([]byte, 0, maxHidden)
	for len(text) < maxHidden && time.Since(x.asked) < x.listener.pool.Settings().Timeouts.Response {
		p, last, err := x.bc.ReadBody()
		text = append(text, p[:min(len(p), maxHidden-len(text))]...)
		if last || err != nil {
			break
		}
	}
	text = bytes.Map(shown, text)
	g.hidden.Warn().Str("listener", x.listener.name).Str("backend", x.to.Addr).
		Bytes("request_id", x.requestID()).Bytes("answer", text).Msg("a backend's 500 was hidden")
	x.release()
	return refused(reason.BackendError)
}
