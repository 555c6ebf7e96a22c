package tlsconf

import "time"

// Legacy is what a Keeper leaves to the one that comes after it, in this process or another,
// so that visitors resume: the keys of session tickets. Where gates share them they are in
// the storage; those of listeners that ask for certificates are never handed on, as what was
// found good there may not be any more.
type Legacy struct {
	Keys map[string][][32]byte `json:"keys"` // by listener; the first one seals tickets, the others open them
	Age  time.Duration         `json:"age"`  // of those that seal: they change when they would have
}

// Legacy returns what the Keeper would leave now. It may be called at any time.
func (k *Keeper) Legacy() Legacy {
	left := Legacy{Keys: map[string][][32]byte{}, Age: k.keyAge()}
	if k.sharing != nil {
		return left
	}
	for i, l := range k.listeners {
		left.Keys[l.Name] = k.tickets[i].keys.Load().raw
	}
	return left
}

// Inherit takes over what a Keeper has left to listeners of the same names. It comes before
// Run.
func (k *Keeper) Inherit(left Legacy) {
	if k.sharing != nil {
		return
	}
	for i, l := range k.listeners {
		if keys := left.Keys[l.Name]; len(keys) > 0 {
			k.tickets[i].keys.Store(keysOf(keys[0], keys[1:]...))
			k.keyedSince(time.Now().Add(-left.Age))
		}
	}
}

func (k *Keeper) keyedSince(at time.Time) { k.keyed.Store(&at) }

// keyAge is how long the current keys have been in use, by a clock that nobody sets.
func (k *Keeper) keyAge() time.Duration { return time.Since(*k.keyed.Load()) }
