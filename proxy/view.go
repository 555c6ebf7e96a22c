package proxy

import (
	"fmt"
	"maps"
	"slices"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/proxy/pool"
)

// ListenerView is what operators are told of a listener.
type ListenerView struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Address string   `json:"address"`
	Hosts   []string `json:"hosts"`
	Pool    string   `json:"pool,omitempty"`
}

// Listeners returns the listeners of the current settings, address by address.
func (g *Gate) Listeners() []ListenerView {
	list := []ListenerView{}
	for _, a := range g.current.Load().addresses {
		for _, l := range a.listeners {
			v := ListenerView{Name: l.name, Kind: string(l.kind), Address: a.name, Hosts: l.hosts}
			if l.pool != nil {
				v.Pool = l.pool.Name()
			}
			list = append(list, v)
		}
	}
	return list
}

// Connections returns how many connections of clients are open.
func (g *Gate) Connections() int { return int(g.open.Load()) }

// Effects says in words whom the change touches.
func (c *Change) Effects() []string {
	effects, before := []string{}, c.gate.current.Load()
	for _, p := range c.opened {
		effects = append(effects, fmt.Sprintf("address %s is opened", p.address.Load().name))
	}
	for _, a := range newcomers(c.next, before) {
		effects = append(effects, fmt.Sprintf("address %s is closed", a.name))
	}
	effects = append(effects, stationEffects(before, c.next)...)
	return append(append(effects, c.moves...), poolEffects(before, c.next)...)
}

// movesOf says which backends come and go in a pool that stays.
func movesOf(p *pool.Pool, s configs.Pool) (moves []string) {
	join, leave := p.Moves(s)
	for _, addr := range join {
		moves = append(moves, fmt.Sprintf("pool %s: %s joins", p.Name(), addr))
	}
	for _, addr := range leave {
		moves = append(moves, fmt.Sprintf("pool %s: %s leaves when its exchanges have finished", p.Name(), addr))
	}
	return moves
}

func stationEffects(before, next *snapshot) (effects []string) {
	for _, a := range before.addresses {
		for _, l := range a.listeners {
			switch now := next.listener(a.name, l.name); {
			case now == nil:
				effects = append(effects, fmt.Sprintf("listener %s ends: its connections finish what they have", l.name))
			case now.station != l.station:
				effects = append(effects, fmt.Sprintf("listener %s has other terms: its connections finish what they have and come again", l.name))
			}
		}
	}
	return effects
}

func poolEffects(before, next *snapshot) (effects []string) {
	for _, p := range sorted(before.pools) {
		switch now := next.pools[p.Name()]; {
		case now == nil:
			effects = append(effects, fmt.Sprintf("pool %s ends when its exchanges have finished", p.Name()))
		case now != p:
			effects = append(effects, fmt.Sprintf("pool %s is built anew: its connections and what is known of its backends begin again", p.Name()))
		}
	}
	for _, p := range sorted(next.pools) {
		if before.pools[p.Name()] == nil {
			effects = append(effects, fmt.Sprintf("pool %s is new", p.Name()))
		}
	}
	return effects
}

// sorted returns pools in the order of their names.
func sorted(pools map[string]*pool.Pool) (list []*pool.Pool) {
	for _, name := range slices.Sorted(maps.Keys(pools)) {
		list = append(list, pools[name])
	}
	return list
}
