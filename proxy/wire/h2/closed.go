package h2

// closed remembers how the latest streams were closed, as what a late frame means
// depends on that (RFC 9113 section 5.1). Frames for others are of streams long gone,
// or of those that the client passed over. Those that were reset are remembered apart,
// and more of them: each may have a window of frames on its way.
//
// It is guarded by Conn.mu.
type closed struct {
	ended  [16]uint32 // both sides have said all
	at     int
	resets []ending // nil until there is one
	next   int

	passing bool   // the client was told that
	after   uint32 // streams with higher numbers are passed over
}

// ending is how one stream was reset.
type ending struct {
	id  uint32
	how closing
}

// resetsKept is more than may be open at a time by default.
const resetsKept = 128

// passOver has all streams after the last one passed over. However many these become,
// their frames are ignored: those that were on their way are no mistake.
func (c *closed) passOver(last uint32) { c.passing, c.after = true, last }

// closing is how a stream was closed.
type closing uint8

const (
	unknown  closing = iota
	whole            // both sides have said all
	byUs             // we have sent RST_STREAM: what was on its way is ignored
	byClient         // it has
)

func (c *closed) add(id uint32, how closing) {
	switch {
	case how == whole:
		c.ended[c.at] = id
		c.at = (c.at + 1) % len(c.ended)
	case len(c.resets) < resetsKept:
		c.resets = append(c.resets, ending{id, how})
	default:
		c.resets[c.next] = ending{id, how}
		c.next = (c.next + 1) % resetsKept
	}
}

// find returns how a stream was closed. Of one that we reset as well as the client it
// says what came last.
func (c *closed) find(id uint32) closing {
	if c.passing && id > c.after {
		return byUs
	}
	for i := len(c.resets) - 1; i >= 0; i-- {
		if e := &c.resets[(c.next+i)%len(c.resets)]; e.id == id {
			return e.how
		}
	}
	for _, ended := range c.ended {
		if ended == id && id != 0 {
			return whole
		}
	}
	return unknown
}
