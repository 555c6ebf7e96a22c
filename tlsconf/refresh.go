package tlsconf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// refresh looks at all files and takes over what is new and no worse. Pairs that
// were changed together are judged together first, since hosts may have moved
// from one to the other; then each by itself.
func (k *Keeper) refresh() {
	for _, g := range k.guards {
		g.refresh()
	}
	news := k.reread()
	offers := k.offers()
	if len(offers) == 0 || k.admit(offers) == nil {
		return
	}
	for _, i := range offers {
		if err := k.admit([]int{i}); err != nil && news {
			k.log.Error().Err(err).Str("certificate", k.pairs[i].files.Certificate).
				Msg("new certificate refused, the old one stays in use")
		}
	}
}

// reread loads all pairs and reports whether any file has new content.
func (k *Keeper) reread() bool {
	news := false
	for i := range k.pairs {
		p := &k.pairs[i]
		before := p.seen
		if err := p.load(); err != nil {
			k.log.Error().Err(err).Msg("new certificate is broken, the old one stays in use")
		}
		news = news || p.seen != before
	}
	return news
}

func (k *Keeper) offers() []int {
	var offers []int
	for i := range k.pairs {
		if k.pairs[i].offered != nil {
			offers = append(offers, i)
		}
	}
	return offers
}

// admit takes the offered certificates of the pairs at indexes into use, if
// nothing gets worse by it.
func (k *Keeper) admit(indexes []int) error {
	old := k.pairs
	k.pairs = slices.Clone(old)
	for _, i := range indexes {
		k.pairs[i].accept()
	}
	err := errors.Join(k.demandValid(indexes, old), k.demandKept(old))
	if err == nil {
		err = k.publish()
	}
	if err != nil {
		k.pairs = old
		return err
	}
	for _, i := range indexes {
		k.log.Info().Str("certificate", k.pairs[i].files.Certificate).
			Time("not_after", k.pairs[i].cert.Leaf.NotAfter).Msg("new certificate in use")
	}
	k.warnOfExpiry()
	return nil
}

// demandValid refuses a certificate that is not valid now, where the old one is.
func (k *Keeper) demandValid(indexes []int, old []pair) error {
	now := k.now()
	for _, i := range indexes {
		leaf := k.pairs[i].cert.Leaf
		if !validAt(leaf, now) && validAt(old[i].cert.Leaf, now) {
			return fmt.Errorf("it is valid from %s to %s, and now is %s",
				leaf.NotBefore.Format(time.RFC3339), leaf.NotAfter.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// demandKept refuses a change by which files would stop covering a host, also
// where the internal CA would step in: its clients are others.
func (k *Keeper) demandKept(old []pair) error {
	before, after := fromFiles(old), fromFiles(k.pairs)
	hosts, now := hostsOf(k.listeners), k.now()
	already := uncovered(hosts, before, now)
	lost := slices.DeleteFunc(uncovered(hosts, after, now), func(host string) bool {
		return slices.Contains(already, host)
	})
	if len(lost) > 0 {
		return fmt.Errorf("it no longer covers %s", strings.Join(lost, ", "))
	}
	return nil
}
