package traces

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// maxAnswer is how much of a collector's answer is read.
const maxAnswer = 64 << 10

// verdict is what became of a post.
type verdict struct {
	err      error // nil: it was taken
	off      bool  // nobody is to be told any more
	rejected int   // spans of one that was taken
	again    bool  // another attempt may work
	wait     time.Duration
}

// deliver posts a batch, again and again while that may help, until ctx ends. It returns
// what is left then. A collector that wants to be left alone for longer than a batch is
// kept is not asked before.
func (e *Exporter) deliver(ctx, posts context.Context, batch []*tracepb.Span) (left []*tracepb.Span) {
	begin, wait := time.Now(), e.pace.first
	if len(batch) < batchSize && e.left() > 0 {
		return batch // there is room for more
	}
	for {
		to := e.to.Load()
		v := verdict{err: errResting, again: true, wait: e.left()}
		if v.wait <= 0 {
			v = e.post(posts, batch)
		}
		pause := max(v.wait, wait/2+rand.N(wait))
		if v.again {
			e.rest = rest{to, time.Now().Add(pause)}
		}
		if !v.again || time.Since(begin)+pause > e.pace.patience {
			e.count(batch, v)
			return nil
		}
		e.tell(v.err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return batch
		}
		wait = min(2*wait, e.pace.long)
	}
}

// errResting says why a batch is not posted at all.
var errResting = errors.New("the collector wants to be left alone")

// count notes what became of a batch.
func (e *Exporter) count(batch []*tracepb.Span, v verdict) {
	lost := v.rejected
	if v.off || v.err != nil && lost == 0 {
		lost = len(batch)
	}
	lost = min(lost, len(batch))
	e.dropped.Add(uint64(lost))
	e.exported.Add(uint64(len(batch) - lost))
	if !v.off {
		e.tell(v.err)
	}
}

// tell says when exporting begins to fail, and when it works again.
func (e *Exporter) tell(err error) {
	if failing := err != nil; failing != e.failing {
		e.failing = failing
		e.notify(err)
	}
}

// post posts a batch once.
func (e *Exporter) post(ctx context.Context, batch []*tracepb.Span) verdict {
	d := e.to.Load()
	if d == nil {
		return verdict{off: true} // meanwhile
	}
	body, err := d.encode(batch)
	if err != nil {
		return verdict{err: err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(body))
	if err != nil {
		return verdict{err: err}
	}
	for name, values := range d.Fields {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("User-Agent", "trackgate/"+d.Version)
	res, err := d.client.Do(r)
	if err != nil {
		return verdict{err: err, again: true}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return verdict{err: err, again: true}
	}
	return judge(res, text)
}

// encode writes a batch. TracesData has the same encoding as the request of the protocol.
func (d *destination) encode(batch []*tracepb.Span) ([]byte, error) {
	of := d.resource
	return proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource:   of.Resource,
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: of.ScopeSpans[0].Scope, Spans: batch}},
	}}})
}

// judge reads an answer (OTLP specification, "OTLP/HTTP Response").
func judge(res *http.Response, text []byte) verdict {
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		rejected, why := partialSuccess(text)
		if rejected > 0 {
			return verdict{rejected: rejected, err: fmt.Errorf("the collector rejected %d spans: %q", rejected, why)}
		}
		return verdict{}
	}
	v := verdict{err: errors.New("the collector answered " + res.Status)}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		v.again = true
		v.wait = retryAfter(res.Header.Get("Retry-After"), time.Now())
	}
	return v
}

// longestRest is how long a collector is left alone at most.
const longestRest = time.Hour

// retryAfter reads the field of that name (RFC 9110 section 10.2.3); 0 for what cannot be read.
func retryAfter(field string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(field); err == nil {
		return time.Duration(min(max(seconds, 0), int(longestRest/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(field); err == nil {
		return min(max(at.Sub(now), 0), longestRest)
	}
	return 0
}

// Fields of ExportTraceServiceResponse, and of the ExportTracePartialSuccess in it.
const (
	partialField  = 1
	rejectedField = 1
	messageField  = 2
)

// partialSuccess returns how many spans an answer says were rejected, and why. What cannot
// be read says nothing.
func partialSuccess(answer []byte) (rejected int, why string) {
	eachField(answer, func(number protowire.Number, _ uint64, part []byte) {
		if number != partialField {
			return
		}
		eachField(part, func(number protowire.Number, value uint64, text []byte) {
			switch number {
			case rejectedField:
				rejected = int(min(value, 1<<31-1))
			case messageField:
				why = string(text[:min(len(text), 500)])
			}
		})
	})
	return rejected, why
}

// eachField calls do for the fields of a message that are a varint or a text.
func eachField(message []byte, do func(number protowire.Number, value uint64, text []byte)) {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return
		}
		message = message[n:]
		var value uint64
		var text []byte
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			text, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return
		}
		message = message[n:]
		do(number, value, text)
	}
}
