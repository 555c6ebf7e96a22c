package tlsconf

import (
	"slices"
	"time"
)

// expiryWarning is how long before its end a certificate is complained about.
const expiryWarning = 21 * 24 * time.Hour

// warnOfExpiry logs what ends soon and, louder, what is not valid now.
func (k *Keeper) warnOfExpiry() {
	now := k.now()
	k.warned = now
	for _, c := range k.Certificates() {
		if now.Before(c.NotAfter.Add(-expiryWarning)) && !now.Before(c.NotBefore) {
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
