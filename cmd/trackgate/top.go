package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/trackgate/trackgate/configs"
)

// leastInterval is how often a gate may be asked at most.
const leastInterval = 100 * time.Millisecond

func topCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "top",
		Short: "Watch the gate that runs: traffic, backends and refusals, live in a terminal",
		Long: `Watch the gate that runs: traffic, listeners, backends, reasons, what failed and what was refused.
In a terminal q ends it. Elsewhere each look is written below the one before; with -o json it is one line.`,
		Example: "  trackgate top\n  trackgate top --interval 5s --count 12 -o json",
		Args:    cobra.NoArgs,
	}
	file, format := fileFlag(c), outputFlag(c)
	interval := c.Flags().Duration("interval", time.Second, "how long from one look to the next")
	count := c.Flags().Int("count", 0, "how many looks; 0: until it is ended")
	c.RunE = onSettings(file, func(c *cobra.Command, settings *configs.Settings, _ []string) error {
		if *interval < leastInterval || *count < 0 {
			return fmt.Errorf("--interval %s, --count %d: wanted at least %s, and no less than 0", *interval, *count, leastInterval)
		}
		ctx, stop := untilSignal(c.Context())
		defer stop()
		w := watcher{sides: settings.Admin, interval: *interval, count: *count}
		out := c.OutOrStdout()
		switch {
		case *format == inJSON:
			return w.watch(ctx, func(l *look) error { return json.NewEncoder(out).Encode(l) })
		case terminal(out) && terminal(os.Stdin) && os.Getenv("TERM") != "dumb":
			return w.onScreen(ctx, os.Stdin, os.Stdout)
		}
		return w.watch(ctx, func(l *look) error { return l.print(out) })
	})
	return c
}

// watcher looks at a gate again and again.
type watcher struct {
	sides    configs.Admin
	interval time.Duration
	count    int // of looks; 0 for no end
}

// watch shows each look until ctx ends. That no gate answers the first one is a
// failure; later it is shown, since the gate may come back.
func (w watcher) watch(ctx context.Context, show func(*look) error) error {
	ticks := time.NewTicker(w.interval)
	defer ticks.Stop()
	var last *look
	for n := 1; ; n++ {
		l, err := w.look(ctx, last)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && last == nil {
			return err
		}
		if err := show(l); err != nil || n == w.count {
			return err
		}
		last = l
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look asks the gate. With an error it is the last look, and says so.
func (w watcher) look(ctx context.Context, last *look) (*look, error) {
	l := &look{at: time.Now()}
	err := get(ctx, w.sides, "/status", &l.Status)
	if err == nil {
		err = get(ctx, w.sides, "/recent", &l.Recent)
	}
	if err == nil {
		l.rates = ratesBetween(last, l)
		return l, nil
	}
	if last != nil {
		*l = *last
	}
	l.Error = err.Error()
	return l, err
}

// onScreen shows looks on a whole terminal, each in the place of the one before, until q
// is pressed. The terminal is left as it was.
func (w watcher) onScreen(ctx context.Context, in, out *os.File) error {
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	if err := get(ctx, w.sides, "/status", new(status)); err != nil {
		return err // where it can be read
	}
	before, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return failure(err)
	}
	defer term.Restore(int(in.Fd()), before) //nolint:errcheck // there is nothing else to try
	go func() {
		defer leave()
		awaitLeaving(in)
	}()
	fmt.Fprint(out, enterScreen)
	defer fmt.Fprint(out, leaveScreen)
	s := &screen{out: out, colored: os.Getenv("NO_COLOR") == ""}
	s.follow(ctx)
	return w.watch(ctx, s.show)
}

// awaitLeaving returns when a key says so: q, Ctrl-C or Ctrl-D. A terminal in raw mode sends
// these as they are.
func awaitLeaving(in io.Reader) {
	key := make([]byte, 1)
	for {
		if _, err := in.Read(key); err != nil {
			return
		}
		switch key[0] {
		case 'q', 'Q', 3, 4:
			return
		}
	}
}
