package wirecheck

import (
	"fmt"
	"testing"

	"github.com/trackgate/trackgate/internal/program"
)

// The lanes that the quick cases of clients are dealt out to.
const lanes = 3

// trial is one case, ready to be run.
type trial struct {
	name string
	run  func(t *testing.T, g gate, r *recorder) verdict
}

func TestWire(t *testing.T) {
	binary := program.Build(t)
	t.Run("cases", func(t *testing.T) { tryAll(t, binary) })
	t.Run("floods", func(t *testing.T) { floodAll(t, binary) })
}

// tryAll runs the cases, on lanes side by side.
func tryAll(t *testing.T, binary string) {
	for name, trials := range deal(loadCorpus(t)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startRecorder(t)
			g := startGate(t, binary, r, usual())
			for _, one := range trials {
				t.Run(one.name, func(t *testing.T) { report(t, one.run(t, g, r)) })
			}
		})
	}
}

// deal spreads the cases over lanes. A slow one has a lane to itself, and floods
// disturb only each other.
func deal(all corpus) map[string][]trial {
	dealt := map[string][]trial{}
	for i, c := range all.client {
		lane := fmt.Sprintf("client-%d", i%lanes)
		switch {
		case c.Slow:
			lane = c.ID
		case c.Load:
			lane = "floods"
		}
		dealt[lane] = append(dealt[lane], trial{c.Class + "/" + c.ID, func(t *testing.T, g gate, r *recorder) verdict {
			return tryClient(t, c, g, r)
		}})
	}
	for _, c := range all.backend {
		dealt["backend"] = append(dealt["backend"], trial{c.Class + "/" + c.ID, func(t *testing.T, g gate, r *recorder) verdict {
			return tryBackend(t, c, g, r)
		}})
	}
	return dealt
}

func report(t *testing.T, v verdict) {
	t.Helper()
	for _, fail := range v.fails {
		t.Error(fail)
	}
	for _, warn := range v.warns {
		t.Error("too lenient: " + warn)
	}
}
