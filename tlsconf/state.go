package tlsconf

import (
	"time"
)

// State is how a host stands with its certificate.
type State struct {
	Host      string    `json:"host"`
	Source    string    `json:"source,omitempty"` // a file, internal, or acme and the authority; "": there is none yet
	Issuer    string    `json:"issuer,omitempty"` // who signed it, by its own word
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	DaysLeft  float64   `json:"days_left,omitempty"` // negative: it has ended
	Renewal   time.Time `json:"renewal,omitzero"`    // when it is due, unless an authority names another time; none for files
	Order     *Order    `json:"order,omitempty"`     // the last one, if it failed; one that is under way, if something may keep it from going well
}

// States returns how each host stands at this moment, in alphabetical order.
func (k *Keeper) States() []State {
	t, now := k.table.Load(), k.now()
	var states []State
	for _, host := range hostsOf(k.listeners) {
		s := State{Host: host}
		if found := t.find(keyOf(host)); len(found) > 0 {
			s.show(found[0], now)
		}
		if order := k.managed.lastOrder(host); order.Failures > 0 || len(order.Advice) > 0 {
			s.Order = &order
		}
		states = append(states, s)
	}
	return states
}

// show adds what the certificate says.
func (s *State) show(h heldCert, now time.Time) {
	leaf := h.cert.Leaf
	s.Source, s.Issuer, s.NotBefore, s.NotAfter = h.source, nameOf(leaf.Issuer), leaf.NotBefore, leaf.NotAfter
	s.DaysLeft = leaf.NotAfter.Sub(now).Hours() / 24
	if h.ours {
		s.Renewal = renewalOf(leaf)
	}
}
