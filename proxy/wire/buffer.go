package wire

import "sync"

// MaxHold is the largest body that Stream.Hold can be asked for, in bytes.
const MaxHold = 64 << 10

// smallBody is the first buffer for a body that does not fit behind its head.
const smallBody = 16 << 10

// smallBodies and largeBodies are where buffers wait.
var (
	smallBodies = sync.Pool{New: func() any { return new([smallBody]byte) }}
	largeBodies = sync.Pool{New: func() any { return new([MaxHold]byte) }}
)

// BodyRoom returns the buffer for a body of which have bytes are in b and that is to
// take up to need, at most MaxHold. It may be b itself; if not, b is given back, and
// what it held is in the new one. A buffer grows with what is there, not with what
// was announced.
func BodyRoom(b []byte, have, need int) []byte {
	if have < len(b) {
		return b[:min(need, len(b))]
	}
	var grown []byte
	if need <= smallBody || have < smallBody {
		grown = smallBodies.Get().(*[smallBody]byte)[:]
	} else {
		grown = largeBodies.Get().(*[MaxHold]byte)[:]
	}
	copy(grown, b[:have])
	DropBody(b)
	return grown[:min(need, len(grown))]
}

// DropBody gives the buffer of a body back. b may be nil.
func DropBody(b []byte) {
	switch cap(b) {
	case smallBody:
		smallBodies.Put((*[smallBody]byte)(b[:smallBody]))
	case MaxHold:
		largeBodies.Put((*[MaxHold]byte)(b[:MaxHold]))
	}
}
