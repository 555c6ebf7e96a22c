package h2

import "time"

// What frames cost that a client sends too many of at its own gain. A thousand in
// ten seconds are too much: a hundred resets, of its own or provoked (CVE-2023-44487,
// CVE-2025-8671), as many pings or empty frames (CVE-2019-9512, CVE-2019-9518), or five
// hundred of what is only noise. A browser that leaves a page with twenty requests open
// spends a fifth of it.
const (
	costReset        = 10
	costSettings     = 20
	costPing         = 10
	costEmpty        = 10 // DATA without data, CONTINUATION without anything
	costContinuation = 5
	costFrame        = 2
	costTiny         = 1 // a few bytes of DATA

	abuseLimit = 1000
	abuseCalm  = abuseLimit * 3 / 4
	abuseDecay = 100 // each second
	tinyData   = 64  // bytes

	fairFragment = 1 << 10 // bytes of a field block that are worth a frame
)

// abuse is what a client has spent.
type abuse struct {
	score   int
	at      time.Time
	updates int // WINDOW_UPDATEs it may send for what it was sent; guarded by Conn.mu
}

// spend adds a cost, and lets what was spent before fade.
func (a *abuse) spend(cost int, now time.Time) int {
	if faded := int(now.Sub(a.at).Seconds() * abuseDecay); faded >= a.score {
		a.score, a.at = 0, now
	} else { // what is less than a point goes on to count
		a.score -= faded
		a.at = a.at.Add(time.Duration(faded) * time.Second / abuseDecay)
	}
	a.score += cost
	return a.score
}

// blame charges the client. At three quarters of the limit it is told to calm down:
// its further streams are ignored. At the limit the connection ends.
func (c *Conn) blame(cost int) error {
	switch score := c.abuse.spend(cost, time.Now()); {
	case score >= abuseLimit:
		return broken(EnhanceYourCalm, "more resets, pings or empty frames than any client needs")
	case score >= abuseCalm:
		c.refuseFurther(EnhanceYourCalm)
	}
	return nil
}

// blameUpdate charges for a WINDOW_UPDATE that no DATA was sent for. Those for DATA
// that the client's own window cut into pieces are not free (CVE-2019-9511).
func (c *Conn) blameUpdate() error {
	c.mu.Lock()
	free := c.abuse.updates > 0
	if free {
		c.abuse.updates--
	}
	c.mu.Unlock()
	if free {
		return nil
	}
	return c.blame(costFrame)
}

// streamError ends one stream for a mistake of the client (RFC 9113 section 5.4.2).
func (c *Conn) streamError(id uint32, code Code) error {
	if c.isIdle(id) {
		return broken(code, "a frame for a stream that was not opened")
	}
	c.reset(id, code)
	return c.blame(costReset)
}

// reset ends one stream with RST_STREAM.
func (c *Conn) reset(id uint32, code Code) {
	c.dropStream(id, byUs, errMistake)
	c.control(appendNumber(make([]byte, 0, 16), frameReset, id, uint32(code)))
}

// dropStream ends a stream that one side has reset. Its work goes on, for nobody.
func (c *Conn) dropStream(id uint32, how closing, fault error) {
	c.mu.Lock()
	c.closed.add(id, how)
	s := c.find(id)
	if s != nil {
		s.reset = true
		s.endLocked(fault)
		c.forgetLocked(s)
	}
	s = s.unhanded()
	c.mu.Unlock()
	if s != nil {
		c.handOver(s)
	}
}
