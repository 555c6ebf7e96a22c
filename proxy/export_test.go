package proxy

// Connections returns how many connections are counted.
func (g *Gate) Connections() int64 { return g.open.Load() }

// Claimed returns how many attempts run on each backend.
func (g *Gate) Claimed() (claimed []int) {
	for _, b := range g.Backends() {
		claimed = append(claimed, b.Running)
	}
	return claimed
}
