package proxy

// Connections returns how many connections are counted.
func (g *Gate) Connections() int64 { return g.open.Load() }

// Claimed returns how many attempts run on each backend.
func (g *Gate) Claimed() (claimed []int) {
	for _, p := range g.current.Load().pools {
		for _, b := range p.balance.Backends() {
			claimed = append(claimed, b.Claimed())
		}
	}
	return claimed
}
