package metrics

import "time"

// Discovery shows how the lookups of one name that stands for backends go.
type Discovery struct {
	set        *Set
	pool, name string
}

// Discovery returns the metrics of a name in the settings of a pool.
func (s *Set) Discovery(pool, name string) *Discovery { return &Discovery{s, pool, name} }

// Resolved says whether a lookup that ended now worked.
func (d *Discovery) Resolved(ok bool, now time.Time) {
	d.set.families.resolved.WithLabelValues(d.pool, d.name).Set(truth(ok))
	if ok {
		d.set.families.resolvedAt.WithLabelValues(d.pool, d.name).Set(float64(now.Unix()))
	}
}
