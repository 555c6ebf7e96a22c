package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"text/tabwriter"
	"time"
)

// results are the figures of a run.
type results struct {
	Time      time.Time         `json:"time"`
	Go        string            `json:"go"`
	Proxies   map[string]string `json:"proxies"` // name: version
	Scenarios []outcome         `json:"scenarios"`
}

// outcome are the figures of one scenario.
type outcome struct {
	Name    string             `json:"name"`
	Unit    string             `json:"unit"`
	Proxies map[string]spread  `json:"proxies"`
	Ratios  map[string]float64 `json:"ratios_to_better_peer,omitempty"`
	Aim     float64            `json:"aim"` // for trackgate: a ratio, or bytes per connection
	order   []string
}

func newResults(ctx context.Context, field []contender) results {
	r := results{Time: time.Now().UTC().Truncate(time.Second), Go: runtime.Version(), Proxies: map[string]string{}}
	for _, c := range field {
		r.Proxies[c.name] = c.describe(ctx)
	}
	return r
}

// add keeps the values of each contender; none when the scenario failed.
func (r *results) add(s scenario, field []contender, values [][]float64) {
	o := outcome{Name: s.name, Unit: s.unit, Aim: s.aim, Proxies: map[string]spread{}, Ratios: map[string]float64{}}
	for i, rounds := range values {
		o.order = append(o.order, field[i].name)
		o.Proxies[field[i].name] = newSpread(rounds)
	}
	if best := betterPeer(o.Proxies); !math.IsNaN(best) {
		for name, s := range o.Proxies {
			o.Ratios[name] = s.Median / best
		}
	}
	r.Scenarios = append(r.Scenarios, o)
}

// writeTable writes one row per scenario and proxy.
func (r results) writeTable(out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "scenario\tproxy\tmedian\tmin\tmax\tunit\tratio\taim\t")
	for _, o := range r.Scenarios {
		for _, name := range o.order {
			o.writeRow(table, name)
		}
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("table: %w", err)
	}
	_, err := fmt.Fprintln(out, "\nratio: to the better of nginx and haproxy; lower is better")
	return err
}

func (o outcome) writeRow(table io.Writer, name string) {
	scale, unit := 1.0, "us cpu/request"
	if o.Unit == unitMemory {
		scale, unit = 1e-3, "kB rss/connection"
	}
	s := o.Proxies[name]
	fmt.Fprintf(table, "%s\t%s\t%.1f\t%.1f\t%.1f\t%s\t%s\t%s\t\n", o.Name, name, s.Median*scale, s.Min*scale, s.Max*scale,
		unit, o.ratioText(name), o.aimText(name))
}

func (o outcome) ratioText(name string) string {
	ratio, ok := o.Ratios[name]
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.2f", ratio)
}

// aimText says what is aimed at, for ours only.
func (o outcome) aimText(name string) string {
	switch {
	case name != ours:
		return ""
	case o.Unit == unitMemory:
		return fmt.Sprintf("<= %.0f kB", o.Aim/1e3)
	default:
		return fmt.Sprintf("<= %.2f", o.Aim)
	}
}

// writeJSON writes everything to a file, if one is named.
func (r results) writeJSON(path string) error {
	if path == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return writeFile(path, append(data, '\n'))
}
