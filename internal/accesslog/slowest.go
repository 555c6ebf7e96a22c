package accesslog

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	slowestMinutes = 5                  // that are looked back at
	slots          = slowestMinutes + 1 // with the one that has begun
	slowestKept    = 10                 // exchanges of each
)

// slowest remembers the exchanges of the last minutes that took longest. Nearly all are told
// by two numbers that they are none of these.
type slowest struct {
	began  time.Time
	minute atomic.Int64 // the newest one
	least  atomic.Int64 // ns that an exchange of that minute has to exceed

	mu    sync.Mutex
	slots [slots]slot
}

// slot is one minute.
type slot struct {
	minute int64
	lines  []slowLine // room for slowestKept
}

type slowLine struct {
	took time.Duration
	text []byte
}

// prepare sets room aside, so that a usual line costs no allocation.
func (s *slowest) prepare() {
	s.began = time.Now()
	for i := range s.slots {
		lines := make([]slowLine, slowestKept)
		for j, room := range rooms(slowestKept) {
			lines[j].text = room
		}
		s.slots[i].lines = lines[:0]
	}
}

// minuteOf counts from the beginning of the log, by a clock that nobody sets.
func (s *slowest) minuteOf(t time.Time) int64 { return int64(t.Sub(s.began) / time.Minute) }

// wants reports whether an exchange may be one to keep. A websocket lasts as long as it is
// wanted, and who is refused slowly has been slow himself.
func (s *slowest) wants(e *Entry) bool {
	isSlow := int64(e.Duration) > s.least.Load() || s.minuteOf(e.Time.Add(e.Duration)) > s.minute.Load()
	return isSlow && e.Status != 101 && !refused(e)
}

// keep takes the line of an exchange, if it still belongs to the slowest of its minute.
func (s *slowest) keep(e *Entry, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	minute := max(s.minuteOf(e.Time.Add(e.Duration)), s.minute.Load()) // one that comes late is of now
	at := &s.slots[minute%slots]
	if at.minute != minute {
		at.minute, at.lines = minute, at.lines[:0]
	}
	at.add(slowLine{e.Duration, text})
	s.minute.Store(minute)
	s.least.Store(int64(at.least()))
}

// least is what a further line has to exceed.
func (at *slot) least() time.Duration {
	if len(at.lines) < slowestKept {
		return 0
	}
	return at.fastest().took
}

func (at *slot) fastest() *slowLine {
	fastest := &at.lines[0]
	for i := range at.lines {
		if at.lines[i].took < fastest.took {
			fastest = &at.lines[i]
		}
	}
	return fastest
}

// add copies a line into the slot, in place of the fastest one where it is full.
func (at *slot) add(l slowLine) {
	if len(at.lines) < slowestKept {
		at.lines = at.lines[:len(at.lines)+1] // with the room of one that was there before
		at.lines[len(at.lines)-1].copy(l)
	} else if fastest := at.fastest(); fastest.took < l.took {
		fastest.copy(l)
	}
}

func (to *slowLine) copy(l slowLine) { to.took, to.text = l.took, append(to.text[:0], l.text...) }

// lines returns those of the last minutes, the slowest first.
func (s *slowest) lines(now time.Time) []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []slowLine
	for i := range s.slots {
		if age := s.minuteOf(now) - s.slots[i].minute; age <= slowestMinutes {
			all = append(all, s.slots[i].lines...)
		}
	}
	slices.SortStableFunc(all, func(a, b slowLine) int { return cmp.Compare(b.took, a.took) })
	list := []json.RawMessage{}
	for _, l := range all[:min(len(all), 2*slowestKept)] {
		list = append(list, append(json.RawMessage(nil), l.text...))
	}
	return list
}
