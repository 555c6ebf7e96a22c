package configs

import "time"

const (
	largestBody    = 16 * GiB
	maxConnections = 1_000_000
	maxFields      = 1000
	maxStreams     = 1000
	maxStreamIDs   = 1 << 30 // the odd numbers of 31 bits, which are a client's (RFC 9113, 5.1.1)
)

// limits checks the general limits. A body of 0 is refused because it could be
// read as no limit and as no body.
func (c compiler) limits(key string, l Limits) Limits {
	c.ofRequest(key, l)
	between(c, key+".connections", l.Connections, 1, maxConnections)
	between(c, key+".connections_per_client", l.ConnectionsPerClient, 0, maxConnections)
	between(c, key+".handshakes_per_client", l.HandshakesPerClient, 0, maxConnections)
	return l
}

// listenerLimits puts the limits of a listener over the general ones.
func (c compiler) listenerLimits(key string, d draftLimits, l Limits) Limits {
	l.Body = or(d.Body, l.Body)
	l.Head = or(d.Head, l.Head)
	l.Target = or(d.Target, l.Target)
	l.Fields = or(d.Fields, l.Fields)
	l.BodyRate = or(d.BodyRate, l.BodyRate)
	l.Streams = or(d.Streams, l.Streams)
	l.StreamsPerConnection = or(d.StreamsPerConnection, l.StreamsPerConnection)
	c.ofRequest(key, l)
	return l
}

func or[T any](own *T, general T) T {
	if own == nil {
		return general
	}
	return *own
}

// ofRequest checks the limits of one request and of the connection that it
// shares with others.
func (c compiler) ofRequest(key string, l Limits) {
	between(c, key+".body", l.Body, 1, largestBody)
	between(c, key+".head", l.Head, KiB, MiB)
	between(c, key+".target", l.Target, 64, min(max(l.Head, KiB), 64*KiB))
	between(c, key+".fields", l.Fields, 8, maxFields)
	between(c, key+".body_rate", l.BodyRate, 0, GiB)
	between(c, key+".streams", l.Streams, 1, maxStreams)
	between(c, key+".streams_per_connection", l.StreamsPerConnection, 100, maxStreamIDs)
}

func (c compiler) timeouts(t Timeouts) Timeouts {
	between(c, "timeouts.handshake", t.Handshake, shortest, time.Minute)
	between(c, "timeouts.head", t.Head, shortest, 10*time.Minute)
	between(c, "timeouts.body", t.Body, shortest, 10*time.Minute)
	between(c, "timeouts.write", t.Write, shortest, 10*time.Minute)
	between(c, "timeouts.keep_alive", t.KeepAlive, shortest, time.Hour)
	between(c, "timeouts.announce", t.Announce, 0, time.Hour)
	between(c, "timeouts.drain", t.Drain, 0, time.Hour)
	return t
}
