package accesslog

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/trackgate/trackgate/internal/reason"
)

const (
	slow       = time.Second // what takes longer is worth a look
	remembered = 50          // lines of each sort
	usual      = 512         // bytes of a line that are set aside at once
)

// Recent is lines that are worth a look, whether they were chosen for the log or not.
type Recent struct {
	Refused  []json.RawMessage `json:"refused"`  // newest first
	Troubled []json.RawMessage `json:"troubled"` // failed, or slow; newest first
	Slowest  []json.RawMessage `json:"slowest"`  // of the last five minutes, slowest first; fast ones, too
}

// Recent returns the lines of exchanges that were refused, failed or slow lately.
func (l *Log) Recent() Recent {
	return Recent{Refused: l.refused.lines(), Troubled: l.troubled.lines(), Slowest: l.slowest.lines(time.Now())}
}

// memoryFor returns where an exchange is remembered: nil for one that went as it should.
func (l *Log) memoryFor(e *Entry) *memory {
	switch {
	case refused(e):
		return &l.refused
	case level(e) == "error":
		return &l.troubled
	case e.Duration >= slow && e.Status != 101: // a websocket lasts as long as it is wanted
		return &l.troubled
	}
	return nil
}

// refused reports whether the gate said no, as opposed to what went wrong.
func refused(e *Entry) bool { return e.Reason != reason.ClientClosed && level(e) == "warn" }

// memory keeps the last lines, and forgets the oldest for a new one.
type memory struct {
	mu    sync.Mutex
	kept  [remembered][]byte
	count int // of all there ever were
}

// prepare sets room aside, so that a usual line costs no allocation.
func (m *memory) prepare() { copy(m.kept[:], rooms(remembered)) }

// rooms are empty slices with room for a usual line each.
func rooms(count int) [][]byte {
	whole, each := make([]byte, count*usual), make([][]byte, count)
	for i := range each {
		each[i] = whole[i*usual : i*usual : (i+1)*usual]
	}
	return each
}

func (m *memory) keep(text []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := &m.kept[m.count%remembered]
	*at = append((*at)[:0], text...)
	m.count++
}

func (m *memory) lines() []json.RawMessage {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := []json.RawMessage{}
	for n := m.count - 1; n >= max(0, m.count-remembered); n-- {
		list = append(list, append(json.RawMessage(nil), m.kept[n%remembered]...))
	}
	return list
}
