package hpack

import "github.com/trackgate/trackgate/proxy/wire"

// Overhead is what an entry counts beside its bytes (RFC 7541 section 4.1).
const Overhead = 32

// table is the dynamic table (RFC 7541 section 2.3.2).
type table struct {
	bytes   []byte  // names and values, the oldest entry's first; what stands before it is free
	entries []entry // the oldest first, from first on
	first   int
	size    int // of all entries, as section 4.1 counts
}

// entry is one field. Its bytes stand in table.bytes.
type entry struct {
	at          uint32
	name, value uint16 // lengths
	id          wire.Name
	pseudo      Pseudo
	verdict     Verdict
}

func (e *entry) size() int { return int(e.name) + int(e.value) + Overhead }

// len returns how many entries there are.
func (t *table) len() int { return len(t.entries) - t.first }

// get puts an entry, from 1 for the newest on, into f, and its bytes behind arena.
func (t *table) get(f *Field, i int, arena []byte) []byte {
	e := &t.entries[len(t.entries)-i]
	name := len(arena)
	value := name + int(e.name)
	arena = append(arena, t.bytes[e.at:e.at+uint32(e.name)+uint32(e.value)]...)
	f.Name, f.Value = arena[name:value:value], arena[value:len(arena):len(arena)]
	f.ID, f.Pseudo, f.Verdict = e.id, e.pseudo, e.verdict
	return arena
}

// name puts the name of an entry into f, which has no value yet, and its bytes behind
// arena.
func (t *table) name(f *Field, i int, arena []byte) []byte {
	e := &t.entries[len(t.entries)-i]
	at := len(arena)
	arena = append(arena, t.bytes[e.at:e.at+uint32(e.name)]...)
	*f = Field{Name: arena[at:len(arena):len(arena)], ID: e.id, Pseudo: e.pseudo, Verdict: e.verdict}
	return arena
}

// add enters a field, and evicts as many of the oldest as it takes to stay within limit.
// One that is too large by itself leaves the table empty (RFC 7541 section 4.4).
func (t *table) add(f *Field, limit int) {
	need := len(f.Name) + len(f.Value)
	t.shrink(limit - need - Overhead)
	if need+Overhead > limit {
		return
	}
	t.makeRoom(need)
	e := entry{
		at: uint32(len(t.bytes)), name: uint16(len(f.Name)), value: uint16(len(f.Value)),
		id: f.ID, pseudo: f.Pseudo, verdict: f.Verdict,
	}
	t.bytes = append(append(t.bytes, f.Name...), f.Value...)
	t.entries = append(t.entries, e)
	t.size += e.size()
}

// shrink evicts the oldest entries until the table has at most that size.
func (t *table) shrink(limit int) {
	for t.size > max(limit, 0) {
		t.size -= t.entries[t.first].size()
		t.first++
	}
	if t.len() == 0 {
		t.bytes, t.entries, t.first, t.size = t.bytes[:0], t.entries[:0], 0, 0
	}
}

// Steps in which the memory of a table grows.
const (
	firstBytes   = 256
	firstEntries = 8
)

// makeRoom makes space for an entry of that many bytes: by moving what is live to the
// front or, if that would have to be done again soon, into twice the memory.
func (t *table) makeRoom(need int) {
	start := uint32(len(t.bytes))
	if t.len() > 0 {
		start = t.entries[t.first].at
	}
	if live := len(t.bytes) - int(start); len(t.bytes)+need > cap(t.bytes) {
		bytes := t.bytes[:0]
		if 2*(live+need) > cap(t.bytes) {
			bytes = make([]byte, 0, max(firstBytes, 2*(live+need)))
		}
		t.bytes = append(bytes, t.bytes[start:]...)
		for i := range t.entries[t.first:] {
			t.entries[t.first+i].at -= start
		}
	}
	if len(t.entries) == cap(t.entries) {
		entries := t.entries[:0]
		if live := t.len(); 2*(live+1) > cap(t.entries) {
			entries = make([]entry, 0, max(firstEntries, 2*(live+1)))
		}
		t.entries = append(entries, t.entries[t.first:]...)
		t.first = 0
	}
}
