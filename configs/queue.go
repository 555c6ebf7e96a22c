package configs

import "time"

// Queue bounds the requests that wait for a backend.
type Queue struct {
	Size int           // that may wait at once; 0: none
	Busy time.Duration // how long while every backend that is up has MaxConnections; Wait if that is longer
	Wait time.Duration // how long while no backend is up; 0: not at all
}

// queue checks how requests wait. A time that is written for a queue without
// room would mean nothing; the default of busy is no contradiction.
func (c compiler) queue(key string, q Queue, checks time.Duration) Queue {
	if q.Wait > 0 && checks == 0 {
		c.wrong(key+".wait", "0, because with health.interval 0 nobody would notice that a backend is back", "")
	}
	between(c, key+".size", q.Size, 0, 1_000_000)
	for name, value := range map[string]time.Duration{"busy": q.Busy, "wait": q.Wait} {
		between(c, child(key, name), value, 0, time.Minute)
		if q.Size == 0 && value != 0 && c.has(child(key, name)) {
			c.wrong(child(key, name), "0, because nobody waits in a queue of size 0", "")
		}
	}
	return q
}
