package h2

import "time"

// nextDue returns when something is to be looked at if nothing comes: at the latest when
// it has been quiet for long enough.
func (c *Conn) nextDue(now, quiet time.Time) time.Time {
	due := quiet
	if c.leaving != staying {
		due = c.nextLook(now)
	}
	if c.r < c.w || c.block.stream != 0 || !c.settled {
		if c.begun.IsZero() {
			c.begun = now
		}
		due = earlier(due, c.begun.Add(c.config.Head))
	}
	if c.partial > 0 {
		due = earlier(due, now.Add(deadlineSlack))
	}
	return due
}

// nextLook returns when to look whether the connection can be left.
func (c *Conn) nextLook(now time.Time) time.Time {
	c.mu.Lock()
	working := c.working > 0
	c.mu.Unlock()
	switch {
	case !working:
		return now.Add(lookTime)
	case c.leaving == asked:
		return earlier(now.Add(workTime), c.since.Add(leaveTime+deadlineSlack))
	case c.leaving == heard:
		return c.since.Add(heardTime)
	}
	return now.Add(workTime)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// struck sees to what a deadline was for. done says that there is something to do
// before the next read.
func (c *Conn) struck(now, due time.Time) (done bool, err error) {
	if c.cannotWrite() {
		return true, ErrUnwritten
	}
	if !c.begun.IsZero() && !now.Before(c.begun.Add(c.config.Head)) {
		return true, broken(EnhanceYourCalm, "a frame that did not arrive in time")
	}
	if c.hurry(now); len(c.ready) > 0 || c.mustLeave() || c.leaving != staying {
		return true, nil
	}
	if !now.Before(due) && c.idle() {
		return true, ErrIdle
	}
	return false, nil
}

// isUntaken reports whether the client takes nothing of what is written: then nothing is
// worth reading.
func (c *Conn) isUntaken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.untaken
}

// cannotWrite reports whether a write has failed: then nothing is worth waiting for.
func (c *Conn) cannotWrite() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// idle reports whether nothing is under way.
func (c *Conn) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settled && c.working == 0 && c.r == c.w && c.block.stream == 0 && !c.flushing && c.out == nil
}
