// Package traces tells a collector of traces about exchanges, in OTLP over HTTP
// (OpenTelemetry protocol, opentelemetry.io/docs/specs/otlp): one span for each exchange
// that was chosen. It keeps what it does from the request path: Record copies what is told
// into a queue, or drops and counts it where that is full; Run makes spans and posts them.
//
// The messages are those that OpenTelemetry generates. Its exporter for them would bring gRPC
// into the program, which nobody here speaks.
package traces
