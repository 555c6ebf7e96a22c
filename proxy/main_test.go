package proxy_test

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// TestMain lets more stories run side by side than there are processors: they
// wait for deadlines and log lines most of the time. Fuzzing does not.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() == "" {
		if err := flag.Set("test.parallel", "16"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	os.Exit(m.Run())
}
