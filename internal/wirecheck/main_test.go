package wirecheck

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs more lanes side by side than there are processors: most of the time
// they wait for what should not come.
func TestMain(m *testing.M) {
	lanes := "8"
	if raced {
		lanes = "4"
	}
	flag.Set("test.parallel", lanes) // the command line can still say otherwise
	os.Exit(m.Run())
}
