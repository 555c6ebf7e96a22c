package h2

import (
	"bytes"
	"io"

	"github.com/trackgate/trackgate/internal/reason"
	"github.com/trackgate/trackgate/proxy/wire"
	"github.com/trackgate/trackgate/proxy/wire/hpack"
)

func malformed(what string) error { return &wire.Error{Reason: reason.Malformed, What: what} }

// decodeHead decodes the field block of a request into s. What is wrong with the
// request becomes the fault of s; an error is of the connection, whose decoder must see
// every block to its end.
func (c *Conn) decodeHead(s *Stream, b block) error {
	s.req.Version = wire.HTTP2
	h := head{s: s}
	c.fields.Begin(b.bytes)
	var f hpack.Field
	for size := 0; ; {
		s.arena = c.room(s.arena)
		mark := len(s.arena)
		grown, err := c.fields.Next(&f, s.arena)
		if err == io.EOF {
			break
		}
		if err != nil {
			return undecodable(err)
		}
		s.arena = grown
		if size += f.Size(); size > c.config.Limits.Head {
			s.fault = orElse(s.fault, wire.ErrHead)
		} else if s.fault == nil {
			s.fault = h.add(&f, c.config)
		}
		if s.fault != nil {
			s.arena = s.arena[:mark]
		}
	}
	if s.fault == nil {
		s.fault = h.check(c.config, b.endStream)
	}
	return nil
}

// room returns an arena in which an entry of the table has room: arena or, where fields
// stay where they are, a new one for the rest of the largest head. Growing bit by bit would
// keep all arrays of before, as fields point into each.
func (c *Conn) room(arena []byte) []byte {
	if cap(arena)-len(arena) >= hpack.TableSize {
		return arena
	}
	return make([]byte, 0, c.config.Limits.Head+hpack.TableSize)
}

// head is a request's head while it is decoded.
type head struct {
	s        *Stream
	scheme   []byte
	protocol []byte
	seen     hpack.Pseudo // those that came, as bits
	crumbs   int
}

// add takes one field (RFC 9113 section 8.2, 8.3).
func (h *head) add(f *hpack.Field, config *Config) error {
	r := &h.s.req
	if f.Pseudo != 0 {
		return h.addPseudo(f)
	}
	if r.Fields.Len() >= config.Limits.Fields {
		return wire.ErrFields
	}
	switch {
	case f.Verdict.Has(hpack.BadName):
		return malformed("a byte in a field name that may not be there")
	case f.Verdict.Has(hpack.BadValue):
		return malformed("a field value with a control byte or white space around it")
	case f.Verdict.Has(hpack.NotUTF8):
		return malformed("a field value that is not UTF-8")
	}
	if err := connectionSpecific(f); err != nil {
		return err
	}
	if f.ID == wire.Cookie {
		h.crumbs++
	}
	r.Fields.Add(f.ID, f.Name, f.Value)
	if f.Verdict.Has(hpack.OddName) {
		r.Fields.All()[r.Fields.Len()-1].Gone = true
	}
	return nil
}

// connectionSpecific refuses what speaks of an HTTP/1.1 connection (RFC 9113 section
// 8.2.2).
func connectionSpecific(f *hpack.Field) error {
	switch f.ID {
	case wire.Connection, wire.ProxyConnection, wire.KeepAlive, wire.TransferEncoding, wire.Upgrade:
		return malformed("a field of HTTP/1.1 connections")
	case wire.TE:
		if string(f.Value) != "trailers" {
			return malformed("a TE field other than trailers")
		}
	}
	return nil
}

// addPseudo takes a pseudo-field: each once, before all others.
func (h *head) addPseudo(f *hpack.Field) error {
	r := &h.s.req
	if h.seen&f.Pseudo != 0 || r.Fields.Len() > 0 {
		return malformed("a pseudo-field that comes twice or late")
	}
	h.seen |= f.Pseudo
	switch f.Pseudo {
	case hpack.Method:
		r.Method = f.Value
	case hpack.Scheme:
		h.scheme = f.Value
	case hpack.Authority:
		r.Authority = f.Value
	case hpack.Path:
		r.Target = f.Value
	case hpack.Protocol:
		h.protocol = f.Value
	default:
		return malformed("a pseudo-field that no request has")
	}
	return nil
}

// check decides what the request is, as HTTP/1.1 would say it: nothing that is not one
// plain request there may pass.
func (h *head) check(config *Config, endStream bool) error {
	r := &h.s.req
	if !wire.ValidMethod(r.Method) {
		return malformed("a method that is not a plain word")
	}
	if string(r.Method) == "CONNECT" || h.protocol != nil {
		if err := h.connect(config, endStream); err != nil {
			return err
		}
	}
	if string(h.scheme) != "https" && string(h.scheme) != "http" {
		return malformed("a scheme that is neither https nor http")
	}
	if err := h.target(config.Limits.Target); err != nil {
		return err
	}
	if err := h.authority(); err != nil {
		return err
	}
	if h.crumbs > 1 {
		h.joinCrumbs()
	}
	if err := h.length(config, endStream); err != nil {
		return err
	}
	return r.Expectation()
}

// target checks :path, which is in origin-form (RFC 9113 section 8.3.1).
func (h *head) target(limit int) error {
	r := &h.s.req
	switch {
	case len(r.Target) > limit:
		return wire.ErrTarget
	case !wire.ValidTarget(r.Target):
		return malformed("a byte in the target that may not be there, or none")
	case r.Target[0] != '/' && !(string(r.Target) == "*" && string(r.Method) == "OPTIONS"):
		return malformed("a target that is not a path")
	}
	return nil
}

// authority checks who is asked: by :authority, by Host, or by both alike (RFC 9113
// section 8.3.1).
func (h *head) authority() error {
	r := &h.s.req
	if r.Fields.Has(wire.Host) {
		host, once := r.Fields.Once(wire.Host)
		switch {
		case !once:
			return malformed("more than one Host field")
		case h.seen&hpack.Authority == 0:
			r.Authority = host
		case !bytes.EqualFold(host, r.Authority):
			return malformed("a Host field that names another host than :authority")
		}
	}
	if !wire.ValidHost(r.Authority) {
		return malformed("an authority that is not a host and perhaps a port")
	}
	return nil
}

// length decides how long the body is: as many bytes as its frames have, which must be
// as many as Content-Length says (RFC 9113 section 8.1.1).
func (h *head) length(config *Config, endStream bool) error {
	r := &h.s.req
	if r.Fields.Has(wire.ContentLength) {
		value, once := r.Fields.Once(wire.ContentLength)
		n, ok := wire.Number(value)
		if !once || !ok {
			return malformed("a Content-Length that is not one plain number")
		}
		if endStream && n > 0 {
			return malformed("a Content-Length without a body")
		}
		r.Length = n
	} else if !endStream {
		r.Length = wire.Unknown
	}
	if r.Length > config.Limits.Body {
		return wire.ErrBody
	}
	return nil
}

// joinCrumbs makes one Cookie field of many, as HTTP/1.1 has it (RFC 9113 section
// 8.2.3).
func (h *head) joinCrumbs() {
	s, all := h.s, h.s.req.Fields.All()
	var first *wire.Field
	start := len(s.arena)
	for i := range all {
		f := &all[i]
		if f.ID != wire.Cookie {
			continue
		}
		if first == nil {
			first = f
		} else {
			f.Gone = true
			s.arena = append(s.arena, "; "...)
		}
		s.arena = append(s.arena, f.Value...)
	}
	first.Value = s.arena[start:len(s.arena):len(s.arena)]
}

// addTrailer takes one field of a trailer section; false says that it may not be
// there. Only what means nothing to the gate is passed on, as in HTTP/1.1.
func addTrailer(fields *wire.Fields, f *hpack.Field) bool {
	if f.Pseudo != 0 || f.Verdict.Has(hpack.BadName) || f.Verdict.Has(hpack.BadValue) || connectionSpecific(f) != nil {
		return false
	}
	if f.ID.InTrailer() && !f.Verdict.Has(hpack.OddName) && !f.Verdict.Has(hpack.NotUTF8) {
		fields.Add(f.ID, bytes.Clone(f.Name), bytes.Clone(f.Value))
	}
	return true
}
