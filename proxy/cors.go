package proxy

import (
	"strconv"
	"time"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy/wire"
)

// cors answers for the backends what pages of other origins may do (Fetch,
// section 3.2). Off passes the backends' own fields on.
type cors struct {
	off     bool
	any     bool
	origins map[string]struct{}
	maxAge  []byte
}

func newCORS(s configs.CORS) *cors {
	c := &cors{off: s.Off, origins: map[string]struct{}{}}
	for _, origin := range s.Origins {
		if origin == "*" {
			c.any = true
		}
		c.origins[origin] = struct{}{}
	}
	if s.MaxAge > 0 {
		c.maxAge = strconv.AppendInt(nil, int64(s.MaxAge/time.Second), 10)
	}
	return c
}

// allows reports whether a page of that origin may ask; nil is no page.
func (c *cors) allows(origin []byte) bool {
	if c.off || c.any || origin == nil {
		return true
	}
	_, ok := c.origins[string(origin)]
	return ok
}

// corsFields lets the page read the answer. The origin is echoed, as beacons
// carry credentials and "*" would not do for them.
func (x *exchange) corsFields() {
	if x.origin != nil && x.listener.cors.allows(x.origin) {
		x.stream.Field("access-control-allow-origin", x.origin)
		x.stream.Field("access-control-allow-credentials", valueTrue)
	}
	x.stream.Field("vary", valueOrigin)
}

var (
	valueTrue    = []byte("true")
	valueOrigin  = []byte("Origin")
	valueAsked   = []byte("Access-Control-Request-Method, Access-Control-Request-Headers")
	valueDefault = []byte("content-type, x-timestamp")
)

// preflight answers an OPTIONS that asks what a page may send.
func (g *Gate) preflight(x *exchange) error {
	x.answered = true
	x.open(204)
	x.corsFields()
	x.stream.Field("vary", valueAsked)
	x.stream.Field("access-control-allow-methods", []byte(x.match.Allow))
	x.stream.Field("access-control-allow-headers", x.askedHeaders())
	if x.listener.cors.maxAge != nil {
		x.stream.Field("access-control-max-age", x.listener.cors.maxAge)
	}
	x.hstsField()
	x.stream.Frame(wire.Unknown)
	return x.stream.Finish(nil, nil)
}

// askedHeaders echoes the fields a page wants to send, if they are names.
func (x *exchange) askedHeaders() []byte {
	for i := range x.req.Fields.All() {
		f := &x.req.Fields.All()[i]
		if string(f.Name) == "access-control-request-headers" && nameList(f.Value) {
			return f.Value
		}
	}
	return valueDefault
}

func nameList(list []byte) bool {
	for _, c := range list {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && c != '-' && c != ',' && c != ' ' {
			return false
		}
	}
	return len(list) > 0
}
