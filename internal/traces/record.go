package traces

import (
	"sync"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/trackgate/trackgate/internal/accesslog"
)

// record is an exchange that waits to become a span: making one takes longer than a request
// should be kept for.
type record struct {
	place Place
	entry accesslog.Entry // its texts are in words
	words []byte
}

var records = sync.Pool{New: func() any { return &record{words: make([]byte, 0, 512)} }}

// recordOf copies what is told of an exchange.
func recordOf(p *Place, of *accesslog.Entry) *record {
	r := records.Get().(*record)
	r.place, r.entry, r.words = *p, *of, r.words[:0]
	e := &r.entry
	e.Path = accesslog.WithoutQuery(e.Path)
	texts := []*[]byte{&e.Method, &e.Host, &e.Path, &e.RequestID, &e.UserAgent}
	for _, text := range texts {
		*text = (*text)[:min(len(*text), longest)]
		r.words = append(r.words, *text...)
	}
	rest := r.words // which is where it stays from now on
	for _, text := range texts {
		*text, rest = rest[:len(*text)], rest[len(*text):]
	}
	e.TraceID = nil // the place has it
	return r
}

// span makes the span of the exchange, and gives the record back.
func (r *record) span() *tracepb.Span {
	s := spanOf(&r.place, &r.entry)
	records.Put(r)
	return s
}
