package configs

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// draft is the settings as they are written: types are right, the rest is not
// checked yet. Its fields are the keys.
type draft struct {
	Listeners      []draftListener
	Pools          []draftPool
	TLS            TLS
	Limits         Limits
	Timeouts       Timeouts
	TrustedProxies []netip.Prefix
	Admin          Admin
	Log            Log
	Traces         Traces
	Tests          []draftTest
}

type draftListener struct {
	Name           string
	Kind           Kind
	Address        string
	Hosts          []string
	TLS            string // on or off
	HTTP2          bool   // counts only with TLS
	MinVersion     string // "" is that of tls
	Allow          []Allow
	Clients        []netip.Prefix
	Deny           Deny
	CORS           CORS
	Pool           string
	HSTS           time.Duration
	BasePath       string
	ClientIPHeader string
	HideErrors     bool
	ProxyProtocol  []netip.Prefix
	Limits         draftLimits

	ClientCertificates ClientCertificates
}

// draftLimits are those that a listener can have of its own; nil is the
// general one. Connections are counted before a listener is known.
type draftLimits struct {
	Body                 *Size
	Head                 *Size
	Target               *Size
	Fields               *int
	BodyRate             *Size
	Streams              *int
	StreamsPerConnection *int
}

type draftPool struct {
	Name           string
	Backends       []draftBackend
	DNS            Lookup
	TLS            BackendTLS
	Policy         Policy
	SlowStart      time.Duration
	MaxConnections int
	Queue          Queue
	Retry          Retry
	Health         Health
	Timeouts       BackendTimeouts
}

type draftBackend struct {
	URL    string
	Weight *int // nil is 1
}

// newDraft returns the defaults for so many listeners and pools. Lists with a
// default are left out: viper would merge their items with those of the file.
func newDraft(listeners, pools int) *draft {
	d := Defaults()
	from := &draft{TLS: d.TLS, Limits: d.Limits, Timeouts: d.Timeouts, Admin: d.Admin, Log: d.Log, Traces: d.Traces}
	for range listeners {
		l := d.Listeners[0]
		from.Listeners = append(from.Listeners, draftListener{
			TLS: "on", HTTP2: l.HTTP2, Deny: l.Deny, CORS: CORS{MaxAge: l.CORS.MaxAge}, ClientCertificates: l.ClientCertificates,
		})
	}
	for range pools {
		p := d.Pools[0]
		p.Health.Status, p.Retry.Status = nil, nil
		from.Pools = append(from.Pools, draftPool{
			Policy: p.Policy, SlowStart: p.SlowStart, Health: p.Health, Timeouts: p.Timeouts,
			Queue: p.Queue, Retry: p.Retry, DNS: p.DNS,
		})
	}
	return from
}

// fill puts the values of the decoder over the defaults. The decoder has
// checked them, so an error is a flaw of this package.
func (d *draft) fill(values map[string]any) error {
	// The delimiter is a byte no value can hold, so that dots mean nothing.
	v := viper.NewWithOptions(viper.KeyDelimiter("\x00"))
	if err := v.MergeConfigMap(values); err != nil {
		return fmt.Errorf("merge settings: %w", err)
	}
	if err := v.UnmarshalExact(d, exactly); err != nil {
		return fmt.Errorf("fill settings: %w", err)
	}
	return nil
}

// exactly turns off what viper would convert or guess.
func exactly(c *mapstructure.DecoderConfig) {
	c.WeaklyTypedInput = false
	c.DecodeHook = nil
	c.MatchName = func(key, field string) bool { return key == keyOf(field) }
}
