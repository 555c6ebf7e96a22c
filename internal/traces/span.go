package traces

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
)

// Place is where in a trace an exchange stands: ids in lower-case hexadecimal, as in a
// traceparent (W3C Trace Context, section 3.2.2).
type Place struct {
	Trace  [32]byte
	Parent [16]byte // the caller's span; its first byte is 0 where there is none
	Span   [16]byte
}

// HasParent reports whether the trace began before the gate.
func (p *Place) HasParent() bool { return p.Parent[0] != 0 }

// Flags of a span (opentelemetry/proto/trace/v1/trace.proto): the low byte is that of the
// traceparent, the others say whether the parent is elsewhere.
const (
	sampled      = 1
	knowsParent  = 1 << 8
	remoteParent = 1 << 9
)

// longest is how much is told of what a client has written, in bytes.
const longest = 1024

// spanOf makes the span of an exchange, by the names of OpenTelemetry's semantic conventions
// for HTTP servers; what is the gate's own begins with trackgate.
func spanOf(p *Place, e *accesslog.Entry) *tracepb.Span {
	method := methodOf(e.Method)
	s := &tracepb.Span{
		TraceId: decoded(p.Trace[:]), SpanId: decoded(p.Span[:]), Flags: sampled | knowsParent,
		Name: method, Kind: tracepb.Span_SPAN_KIND_SERVER,
		StartTimeUnixNano: uint64(e.Time.UnixNano()), EndTimeUnixNano: uint64(e.Time.Add(e.Duration).UnixNano()),
		Attributes: make([]*commonpb.KeyValue, 0, 20),
	}
	if method == otherMethod {
		s.Name = "HTTP"
		s.Attributes = append(s.Attributes, written("http.request.method_original", e.Method))
	}
	if p.HasParent() {
		s.ParentSpanId = decoded(p.Parent[:])
		s.Flags |= remoteParent
	}
	name, version, _ := strings.Cut(e.Protocol, "/")
	host, port := hostOf(e.Host)
	s.Attributes = append(s.Attributes,
		text("http.request.method", method), text("url.scheme", schemeOf(e)), written("url.path", e.Path), written("server.address", host),
		text("client.address", e.Client.Unmap().WithZone("").String()), text("network.protocol.name", strings.ToLower(name)),
		text("network.protocol.version", strings.TrimSuffix(version, ".0")), number("http.response.status_code", int64(e.Status)),
		number("http.request.body.size", e.BytesIn), number("http.response.body.size", e.BytesOut),
		text("trackgate.listener", e.Listener), text("trackgate.reason", e.Reason.String()), written("trackgate.request_id", e.RequestID))
	if port > 0 {
		s.Attributes = append(s.Attributes, number("server.port", port))
	}
	if len(e.UserAgent) > 0 {
		s.Attributes = append(s.Attributes, written("user_agent.original", e.UserAgent))
	}
	if e.Backend != "" {
		s.Attributes = append(s.Attributes, text("trackgate.backend", e.Backend), number("trackgate.attempts", int64(e.Attempts)),
			seconds("trackgate.backend_seconds", e.BackendDuration.Seconds()))
	}
	if e.Status >= 500 {
		s.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR}
		s.Attributes = append(s.Attributes, text("error.type", errorType(e)))
	}
	return s
}

// otherMethod stands for what is no method of RFC 9110 or 5789.
const otherMethod = "_OTHER"

func methodOf(sent []byte) string {
	switch m := string(sent); m {
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return m
	}
	return otherMethod
}

func schemeOf(e *accesslog.Entry) string {
	if e.TLS == "" {
		return "http"
	}
	return "https"
}

// hostOf splits an authority; port is 0 where it has none. What is no authority stays whole.
func hostOf(authority []byte) (host []byte, port int64) {
	name, written, ok := wire.SplitHost(authority)
	port, isNumber := wire.Number(written)
	if !ok || len(written) > 0 && (!isNumber || port > math.MaxUint16) {
		return authority, 0
	}
	return bytes.Trim(name, "[]"), port
}

// errorType is the gate's reason, or the status where a backend has failed in its own words.
func errorType(e *accesslog.Entry) string {
	if e.Reason == reason.OK {
		return strconv.Itoa(e.Status)
	}
	return e.Reason.String()
}

// resourceOf is who tells.
func resourceOf(service, version, host string) *tracepb.ResourceSpans {
	attributes := []*commonpb.KeyValue{text("service.name", service), text("service.version", version)}
	if host != "" {
		attributes = append(attributes, text("host.name", host))
	}
	return &tracepb.ResourceSpans{
		Resource:   &resourcepb.Resource{Attributes: attributes},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: &commonpb.InstrumentationScope{Name: "github.com/trackgate/trackgate/proxy", Version: version}}},
	}
}

func decoded(id []byte) []byte {
	raw := make([]byte, len(id)/2)
	if _, err := hex.Decode(raw, id); err != nil {
		panic("traces: a place is not hexadecimal") // a mistake in the program
	}
	return raw
}

// written is what a client wrote: not more than is useful, and UTF-8, which messages must be.
func written(key string, value []byte) *commonpb.KeyValue {
	return text(key, strings.ToValidUTF8(string(value[:min(len(value), longest)]), "\uFFFD"))
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}}}
}

func seconds(key string, value float64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: value}}}
}
