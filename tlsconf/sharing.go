package tlsconf

import (
	"context"
	"errors"
	"time"

	"github.com/caddyserver/certmagic"
)

// sharingTime bounds how long all listeners together wait for the storage of keys.
const sharingTime = time.Second / 2

// sharing are the ticket keys of all listeners that other gates have as well.
type sharing struct {
	rings   []*ring // by the tickets that they are for
	trouble string  // what was wrong last time, which is logged once
}

// shareTickets has gates with the same storage open each other's tickets. It must come
// before Run, and waits for the storage at most as long as sharingTime.
func (k *Keeper) shareTickets(storage certmagic.Storage) {
	k.sharing = &sharing{}
	for _, l := range k.listeners {
		k.sharing.rings = append(k.sharing.rings, &ring{storage: storage, listener: l.Name})
	}
	k.syncTickets(context.Background())
}

// syncTickets has the keys of this moment in use, as far as the storage answers those that
// other gates have.
func (k *Keeper) syncTickets(ctx context.Context) {
	if k.sharing == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, sharingTime)
	defer cancel()
	now := k.now()
	var errs []error
	for i, r := range k.sharing.rings {
		errs = append(errs, r.sync(ctx, now)) // at once, where ctx has ended
		k.tickets[i].keys.Store(r.seals(now))
	}
	err := errors.Join(errs...)
	k.tellOfSharing(err)
}

// tellOfSharing logs what is different from the last time.
func (k *Keeper) tellOfSharing(err error) {
	trouble := ""
	if err != nil && !errors.Is(err, context.Canceled) {
		trouble = err.Error()
	}
	switch was := k.sharing.trouble; {
	case trouble != "" && was == "":
		k.log.Warn().Err(err).Msg("ticket keys are not shared, those at hand stay in use")
	case trouble == "" && was != "":
		k.log.Info().Msg("ticket keys are shared again")
	}
	k.sharing.trouble = trouble
}
