package main

import (
	"os"
	"time"

	"github.com/trackgate/trackgate/internal/metrics"
	"github.com/trackgate/trackgate/proxy"
	"github.com/trackgate/trackgate/proxy/pool"
	"github.com/trackgate/trackgate/tlsconf"
)

// status is the gate on one page.
type status struct {
	Version       string           `json:"version"`
	PID           int              `json:"pid"`
	State         string           `json:"state"` // serving, draining, starting
	Since         time.Time        `json:"since"`
	UptimeSeconds float64          `json:"uptime_seconds"`
	Connections   int              `json:"connections"`
	Traffic       metrics.Traffic  `json:"traffic"`
	Listeners     []listenerStatus `json:"listeners"`
	Backends      []pool.State     `json:"backends"`
	Certificates  []tlsconf.State  `json:"certificates"`
}

// listenerStatus is a listener and what it has counted.
type listenerStatus struct {
	proxy.ListenerView
	metrics.Totals
}

func (s *server) status() status {
	view := status{
		Version: version, PID: os.Getpid(), State: "serving", Since: s.began, UptimeSeconds: time.Since(s.began).Seconds(),
		Connections: s.gate.Connections(), Traffic: s.history.Traffic(), Listeners: []listenerStatus{},
		Backends: s.gate.Backends(), Certificates: s.keeper().States(),
	}
	for _, l := range s.gate.Listeners() {
		view.Listeners = append(view.Listeners, listenerStatus{l, s.metrics.Totals(l.Name)})
	}
	switch s.gate.Ready() {
	case proxy.ErrDraining:
		view.State = "draining"
	case proxy.ErrNotServing:
		view.State = "starting"
	}
	return view
}
