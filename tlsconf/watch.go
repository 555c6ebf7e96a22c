package tlsconf

import (
	"context"
	"time"
)

// pace says how often Run does what it does.
type pace struct {
	settle time.Duration // from a change of a folder to a look at its files
	poll   time.Duration // between two looks, should a change go unnoticed
	tend   time.Duration // between two thoughts of renewal
	look   time.Duration // at the clock, between two
	rotate time.Duration // between two ticket keys
	warn   time.Duration // between two warnings of expiry
	renew  time.Duration // between two looks which certificates of authorities are due
}

func usualPace() pace {
	return pace{
		settle: 500 * time.Millisecond, // the two files of a pair are seldom written at once
		poll:   RequestsSeenWithin,
		tend:   time.Hour,
		look:   time.Second,
		rotate: 12 * time.Hour,
		warn:   24 * time.Hour,
		renew:  10 * time.Second,
	}
}

// Run follows the certificate files, has certificates signed and renewed and
// changes ticket keys, until ctx ends. It returns nil then. Nothing that goes
// wrong with certificates ends it: it is logged, and what was good stays. The
// listeners have to be open: authorities come to them.
func (k *Keeper) Run(ctx context.Context) error {
	w := k.watchFolders()
	defer w.close()
	defer k.order(ctx)()
	poll, tend, rotate := time.NewTicker(k.pace.poll), time.NewTicker(k.pace.tend), time.NewTimer(k.pace.rotate-k.keyAge())
	look := time.NewTicker(k.pace.look)
	defer look.Stop()
	defer poll.Stop()
	defer tend.Stop()
	defer rotate.Stop()
	var settled <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.changed():
			if settled == nil { // not put off again, or a busy folder would put it off forever
				settled = time.After(k.pace.settle)
			}
		case <-w.lost():
			k.refresh()
		case <-settled:
			settled = nil
			k.refresh()
		case host := <-k.obtained():
			k.take(ctx, []string{host})
		case <-poll.C:
			w.renew()
			k.refresh()
			k.lookAround(ctx)
			k.syncTickets(ctx)
		case <-tend.C:
			k.tend()
			k.takeOver(ctx)
		case <-look.C:
			k.lookAtClock()
		case <-rotate.C:
			k.rotate()
			rotate.Reset(k.pace.rotate)
		}
	}
}

// order has authorities sign what they are to sign, until the returned function is
// called.
func (k *Keeper) order(ctx context.Context) (stop func()) {
	if k.managed == nil {
		return func() {}
	}
	return k.managed.start(ctx, k.pace)
}

func (k *Keeper) obtained() <-chan string {
	if k.managed == nil {
		return nil
	}
	return k.managed.obtained
}

// take looks into the storage for newer certificates of hosts, and takes over what
// responders say of all.
func (k *Keeper) take(ctx context.Context, hosts []string) {
	newer := k.managed.read(ctx, hosts)
	if k.managed.staple() || newer {
		k.show()
	}
}

// takeOverTime bounds how long takeOver waits for a storage that others share.
const takeOverTime = 10 * time.Second

// takeOver has certificates in use that another gate with the same storage has had signed
// before they were due: on request, or because the old ones were revoked.
func (k *Keeper) takeOver(ctx context.Context) {
	if k.managed == nil {
		return
	}
	soon, cancel := context.WithTimeout(ctx, takeOverTime)
	defer cancel()
	var newer []string
	for _, host := range k.orderable() {
		if soon.Err() == nil && k.managed.read(soon, []string{host}) {
			newer = append(newer, host)
		}
	}
	if len(newer) > 0 {
		k.show()
	}
	for _, host := range newer {
		k.managed.follow(ctx, host)
	}
}

// show puts what authorities have signed in place.
func (k *Keeper) show() {
	if err := k.publish(); err != nil {
		k.log.Error().Err(err).Msg("new certificates are not used, the old ones stay in use")
	}
}

// lookAround takes over what another gate with the same storage has obtained.
func (k *Keeper) lookAround(ctx context.Context) {
	if k.managed == nil {
		return
	}
	k.managed.adopt(k.orderable())
	k.managed.renewRequested(ctx)
	k.take(ctx, k.managed.wanting(k.orderable(), k.now()))
	if config := k.managed.ordering.Load(); config != nil {
		k.managed.keepUp(ctx, config)
	}
}

// tend renews leaves, and lets the internal CA take over from files that ended.
func (k *Keeper) tend() {
	if err := k.publish(); err != nil {
		k.log.Error().Err(err).Msg("certificates could not be renewed, the old ones stay in use")
	}
	if k.now().Sub(k.warned) >= k.pace.warn {
		k.warnOfExpiry()
	}
}

// lookAtClock has certificates renewed and chosen anew when their time has come. That is
// at once where the clock was set, or the machine was suspended, as tickers and timers do
// not count such a time: until the next thought of renewal clients would refuse what is
// shown, for an hour at most.
func (k *Keeper) lookAtClock() {
	if !k.chosen.holds(k.now()) {
		k.tend()
	}
}

// rotate starts new ticket keys. Those that are shared change by the clock; those of
// listeners that ask for certificates are never shared, as each gate reads its own files.
func (k *Keeper) rotate() {
	for _, g := range k.guards {
		g.tickets.rotate()
	}
	if k.sharing != nil {
		return
	}
	for _, t := range k.tickets {
		t.rotate()
	}
	k.keyedSince(time.Now()) // last: what is handed on meanwhile may be taken for older than it is, never for younger
}

// watchFolders watches the folders of all pairs, and of what is said of clients.
func (k *Keeper) watchFolders() *folders {
	var files []string
	for _, p := range k.pairs {
		files = append(files, p.files.Certificate, p.files.Key)
	}
	for _, g := range k.guards {
		files = append(files, g.settings.CA, g.settings.CRL)
	}
	w, err := foldersOf(files...)
	if err != nil {
		k.log.Warn().Err(err).Stringer("every", k.pace.poll).
			Msg("certificate folders cannot be watched, files are looked at from time to time")
	}
	return w
}
