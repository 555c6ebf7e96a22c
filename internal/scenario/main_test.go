//go:build scenario

package scenario

import (
	"flag"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// TestMain is a backend if the environment says so, and runs the tests if not.
func TestMain(m *testing.M) {
	if role, ok := os.LookupEnv(backendRole); ok {
		os.Exit(playBackend(role))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	folder, err := os.MkdirTemp("", "scenario")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	os.Setenv(binaryFolder, folder)
	flag.Set("test.parallel", atOnce()) // the command line can still say otherwise
	return m.Run()
}

// atOnce is how many scenarios run side by side: in the short form they mostly wait.
func atOnce() string {
	if raced {
		return "1"
	}
	return lasts("3", "2")
}

// binaryFolder names the folder where the gate's binary is kept for all tests.
const binaryFolder = "SCENARIO_FOLDER"

// lasting is a test whose folder outlives it.
type lasting struct{ testing.TB }

func (lasting) TempDir() string { return os.Getenv(binaryFolder) }

// gate builds the gate once for all tests and returns the path of its binary.
func gate(t *testing.T) string {
	t.Helper()
	built.Do(func() { program.Build(lasting{t}) })
	binary := os.Getenv(binaryFolder) + "/trackgate"
	require.FileExists(t, binary, "the gate could not be built")
	return binary
}

var built sync.Once

// soak reports whether the scenarios are to run at length.
func soak() bool { return os.Getenv("SOAK") != "" }

// lasts is how much of something there is in the short and in the long form.
func lasts[T any](short, long T) T {
	if soak() {
		return long
	}
	return short
}

// pause lets a scenario go on for a while. What is waited for is not an event but
// the passing of requests.
func pause(d time.Duration) { <-time.After(d) }

// await asks until a condition holds, and once more when the time is over. It
// reports whether it held.
func await(within time.Duration, condition func() bool) bool {
	over := time.Now().Add(within)
	for !condition() {
		if time.Now().After(over) {
			return condition()
		}
		<-time.After(10 * time.Millisecond)
	}
	return true
}
