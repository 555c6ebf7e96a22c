//go:build scenario

package scenario

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/program"
)

// clock is the wall clock of a gate, which can be set while the gate runs. The
// monotonic clock goes on, as it does when somebody sets the time of a machine.
//
// A program of Go reads the clock without libc, and Linux has no other wall clock for
// some of its processes; so this gate is built with a package time of its own (go build
// -overlay), whose Now adds what a file says. All else is the gate that is shipped.
// What the kernel says of times, of files above all, is not shifted.
type clock struct{ file string }

// clockFile names the file with the nanoseconds that a gate's clock is ahead. It must
// not look like a setting.
const clockFile = "SCENARIO_CLOCK"

// How Now reads the clock in package time, and how it is to.
const (
	readsClock  = "\tsec, nsec, mono := runtimeNow()\n"
	shiftsClock = readsClock + "\tsec, nsec = shifted(sec, nsec)\n"
)

// shiftSource is added to package time.
const shiftSource = `package time

import "sync/atomic"

var shift atomic.Int64

// ShiftWall has the wall clock be ahead by nanoseconds.
func ShiftWall(ahead int64) { shift.Store(ahead) }

func shifted(sec int64, nsec int32) (int64, int32) {
	all := int64(nsec) + shift.Load()
	sec, all = sec+all/1e9, all%1e9
	if all < 0 {
		sec, all = sec-1, all+1e9
	}
	return sec, int32(all)
}
`

// followSource is added to a program: it follows the file, and says in another one what
// it follows.
const followSource = `package main

import (
	"os"
	"strconv"
	"time"
)

func init() {
	file := os.Getenv("` + clockFile + `")
	last := ""
	follow := func() {
		text, err := os.ReadFile(file)
		if err != nil || string(text) == last {
			return
		}
		ahead, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil {
			panic(err)
		}
		time.ShiftWall(ahead)
		last = string(text)
		if err := os.WriteFile(file+".followed", text, 0o600); err != nil {
			panic(err)
		}
	}
	follow()
	go func() {
		for ; ; time.Sleep(5 * time.Millisecond) {
			follow()
		}
	}()
}
`

// overlay writes what a program is built with whose clock can be set, and returns the
// argument of go build that says so. folder is where the program's package is.
func overlay(t testing.TB, folder string) string {
	t.Helper()
	library := filepath.Join(goroot(t), "src", "time")
	text, err := os.ReadFile(filepath.Join(library, "time.go"))
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), readsClock), "package time of this Go reads the clock otherwise")
	replaced := map[string]string{
		filepath.Join(library, "time.go"):  strings.Replace(string(text), readsClock, shiftsClock, 1),
		filepath.Join(library, "shift.go"): shiftSource,
		filepath.Join(folder, "follow.go"): followSource,
	}
	made := t.TempDir()
	for name, text := range replaced {
		file := filepath.Join(made, filepath.Base(name)+".txt")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		replaced[name] = file
	}
	index, err := json.Marshal(map[string]any{"Replace": replaced})
	require.NoError(t, err)
	file := filepath.Join(made, "overlay.json")
	require.NoError(t, os.WriteFile(file, index, 0o600))
	return "-overlay=" + file
}

// shiftable builds, once for all tests, a gate whose clock can be set.
func shiftable(t *testing.T) string {
	t.Helper()
	binary := os.Getenv(binaryFolder) + "/shiftable/trackgate"
	builtShiftable.Do(func() {
		folder, err := filepath.Abs("../../cmd/trackgate")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(binary), 0o700))
		program.Build(lasting{t}, overlay(t, folder), "-o", binary)
	})
	require.FileExists(t, binary, "the gate with a clock that can be set could not be built")
	return binary
}

var builtShiftable sync.Once

// newClock makes a clock that is right. The words belong before the command of a
// program that is to have it.
func newClock(t *testing.T, zone string) (c clock, under []string) {
	t.Helper()
	c = clock{filepath.Join(t.TempDir(), "clock")}
	c.set(t, 0)
	zones := filepath.Join(goroot(t), "lib", "time", "zoneinfo.zip")
	return c, []string{"env", clockFile + "=" + c.file, "TZ=" + zone, "ZONEINFO=" + zones}
}

func goroot(t testing.TB) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(root))
}

// set says how far it is ahead from now on.
func (c clock) set(t *testing.T, ahead time.Duration) {
	t.Helper()
	require.NoError(t, os.WriteFile(c.file+".new", []byte(strconv.FormatInt(int64(ahead), 10)), 0o600))
	require.NoError(t, os.Rename(c.file+".new", c.file))
}

// jumps sets it and returns when the program follows.
func (c clock) jumps(t *testing.T, ahead time.Duration) {
	t.Helper()
	c.set(t, ahead)
	require.True(t, await(recovery, func() bool {
		text, err := os.ReadFile(c.file + ".followed")
		return err == nil && string(text) == strconv.FormatInt(int64(ahead), 10)
	}), "the clock does not follow")
}

// watchSource is a program that says, whenever it reads a byte, what its clocks say.
const watchSource = `package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	begin := time.Now()
	for one := make([]byte, 1); ; {
		if _, err := os.Stdin.Read(one); err != nil {
			return
		}
		timer := time.Now()
		<-time.After(10 * time.Millisecond)
		now := time.Now()
		fmt.Println(now.UnixNano(), int64(now.Sub(begin)), int64(time.Since(timer)), int64(time.Until(now.Round(0).Add(time.Second))))
	}
}
`

// A clock that does not jump would prove nothing.
func TestAClockJumpsAndTheMonotonicOneDoesNot(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte("module watch\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(watchSource), 0o600))
	build := exec.Command("go", "build", overlay(t, folder), "-o", "watch", ".")
	build.Dir = folder
	output, err := build.CombinedOutput()
	require.NoError(t, err, "%s", output)
	c, under := newClock(t, "UTC")
	watch := exec.Command(under[0], append(under[1:], filepath.Join(folder, "watch"))...)
	in, err := watch.StdinPipe()
	require.NoError(t, err)
	out, err := watch.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, watch.Start())
	begin := time.Now()
	for _, ahead := range []time.Duration{0, 90 * day, -day, time.Hour + time.Nanosecond, 0} {
		c.jumps(t, ahead)
		_, err := in.Write([]byte{1})
		require.NoError(t, err)
		var wall, since, waited, until int64
		_, err = fmt.Fscan(out, &wall, &since, &waited, &until)
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now().Add(ahead), time.Unix(0, wall), recovery, "the wall clock")
		assert.InDelta(t, time.Since(begin), since, float64(recovery), "from the begin, which a jump does not change")
		assert.InDelta(t, 10*time.Millisecond, waited, float64(recovery), "a wait that a jump does not change")
		assert.InDelta(t, time.Second, until, float64(recovery), "until a time of the wall clock")
	}
	require.NoError(t, in.Close())
	require.NoError(t, watch.Wait())
}

const day = 24 * time.Hour
