package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/traces"
	"github.com/trackgate/trackgate/tlsconf"
)

// traceOptions are what the exporter is told by settings.
func traceOptions(s configs.Traces) (traces.Options, error) {
	roots, err := tlsconf.ReadRoots(s.CA)
	if err != nil {
		return traces.Options{}, fmt.Errorf("traces: %w", err)
	}
	fields := http.Header{}
	for _, field := range s.Headers {
		name, value, _ := strings.Cut(field, ":")
		fields.Add(name, strings.TrimSpace(value))
	}
	return traces.Options{URL: s.Collector, Fields: fields, Roots: roots, Sample: s.Sample, Service: s.Service, Version: version}, nil
}

// traceTrouble tells when spans do not reach the collector of traces, and when they do again.
func (s *server) traceTrouble(err error) {
	if err != nil {
		s.log.Error().Err(err).Msg("not all spans reach the collector of traces: those that it does not take, or for which there is no room, are dropped")
		return
	}
	s.log.Info().Msg("the collector of traces takes spans again")
}
