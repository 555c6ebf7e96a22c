package tlsconf

import (
	"slices"
	"time"
)

// endsSoon reports whether a certificate is to be complained about: a third of its life is
// left, or a quarter where the gate has it renewed, which begins at a third.
func (c Certificate) endsSoon(now time.Time) bool {
	life := c.NotAfter.Sub(c.NotBefore)
	left := life / 3
	if c.Renewed {
		left = life / 4
	}
	return !now.Before(c.NotAfter.Add(-left))
}

// warnOfExpiry logs what ends soon and, louder, what is not valid now.
func (k *Keeper) warnOfExpiry() {
	now := k.now()
	k.warned = now
	for _, c := range k.Certificates() {
		if !c.endsSoon(now) && !now.Before(c.NotBefore) {
			continue
		}
		event, message := k.log.Warn(), "certificate ends soon"
		if now.After(c.NotAfter) || now.Before(c.NotBefore) {
			event, message = k.log.Error(), "certificate is not valid now, clients will refuse it"
		}
		event.Strs("hosts", c.Hosts).Str("source", c.Source).
			Time("not_before", c.NotBefore).Time("not_after", c.NotAfter).Msg(message)
	}
}

// warnIfUseless tells of a pair that covers no host at all.
func (k *Keeper) warnIfUseless(p pair) {
	useful := slices.ContainsFunc(hostsOf(k.listeners), func(host string) bool { return covers(p.cert.Leaf, host) })
	if !useful {
		k.log.Warn().Str("certificate", p.files.Certificate).Strs("covers", p.cert.Leaf.DNSNames).
			Msg("certificate covers none of the hosts")
	}
}
