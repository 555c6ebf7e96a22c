package configs

import (
	"net/url"
	"slices"
	"strings"
)

// Traces is which requests are told to a collector of traces.
type Traces struct {
	Collector string   // URL that spans are posted to, by OTLP over HTTP; "" for none
	Sample    float64  // 0 to 1 of the requests that no trusted proxy has decided about
	Service   string   // service.name of the spans
	Headers   []string // fields of each post: "name: value"
	CA        string   // PEM file of who may sign for the collector's host; "" is the system's
}

// tracesPath is where a collector takes spans (OTLP specification, "OTLP/HTTP Request").
const tracesPath = "/v1/traces"

// traces checks where spans go.
func (c compiler) traces(t Traces) Traces {
	if t.Collector != "" {
		t.Collector = c.collector("traces.collector", t.Collector)
	}
	between(c, "traces.sample", t.Sample, 0, 1)
	if t.Service == "" {
		c.wrong("traces.service", "a name for the gate", "")
	}
	for i, field := range t.Headers {
		c.postField(index("traces.headers", i), field)
	}
	t.Headers = some(t.Headers)
	t.CA = c.file("traces.ca", t.CA)
	if t.CA != "" && !strings.HasPrefix(t.Collector, "https:") {
		c.wrong("traces.ca", "no CA, because the collector has no TLS", "")
	}
	return t
}

// collector returns the URL with the path that collectors have where none is written.
func (c compiler) collector(key, written string) string {
	u, err := url.Parse(written)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		c.wrong(key, "a URL like http://127.0.0.1:4318/v1/traces, or \"\" for none", "")
		return written
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = tracesPath
	}
	return u.String()
}

// postField checks a field whose value may be a secret.
func (c compiler) postField(key, field string) {
	name, value, ok := strings.Cut(field, ":")
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	own := []string{"host", "content-type", "content-length", "connection", "transfer-encoding"}
	if !ok || name == "" || strings.ContainsFunc(name, oddInKey) || strings.ContainsFunc(value, control) || slices.Contains(own, strings.ToLower(name)) {
		c.wrongSecret(key, "a field like \"authorization: Bearer ...\", and none of "+strings.Join(own, ", "))
	}
}
