package proxy

// Claimed returns how many attempts run on each backend.
func (g *Gate) Claimed() (claimed []int) {
	for _, b := range g.Backends() {
		claimed = append(claimed, b.Running)
	}
	return claimed
}
