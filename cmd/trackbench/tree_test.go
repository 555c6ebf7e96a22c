package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProcessorTimeAgreesWithTheAccountOfTheKernel(t *testing.T) {
	from, err := processorTime(os.Getpid())
	require.NoError(t, err)
	before := usage(t)
	for start := time.Now(); time.Since(start) < 50*time.Millisecond; {
		// burns
	}
	after := usage(t)
	to, err := processorTime(os.Getpid())
	require.NoError(t, err)

	assert.InDelta(t, after-before, to-from, float64(10*time.Millisecond))
	assert.Greater(t, to-from, time.Millisecond)
}

// usage is what getrusage says of this process.
func usage(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestTreeHasTheChildren(t *testing.T) {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	defer func() {
		require.NoError(t, in.Close())
		require.NoError(t, child.Wait())
	}()

	pids, err := tree(os.Getpid())

	require.NoError(t, err)
	assert.Equal(t, os.Getpid(), pids[0])
	assert.Contains(t, pids, child.Process.Pid)
	one := func(int) (int64, error) { return 1, nil }
	sum, err := sumOver(child.Process.Pid, one)
	require.NoError(t, err)
	assert.Equal(t, int64(1), sum)
}

func TestWhatIsGoneIsAnError(t *testing.T) {
	child := exec.Command("true")
	require.NoError(t, child.Run())
	pid := child.Process.Pid

	_, err := tree(pid)
	assert.ErrorIs(t, err, os.ErrProcessDone)
	_, err = processorTime(pid)
	assert.ErrorContains(t, err, "processor time of process")
	_, err = residentBytes(pid)
	assert.ErrorContains(t, err, "memory")
	_, err = sumOver(pid, residentBytes)
	assert.Error(t, err)
}

func TestResidentBytesSeesWhatWasTouched(t *testing.T) {
	before, err := residentBytes(os.Getpid())
	require.NoError(t, err)
	touched := []byte(strings.Repeat("x", 32<<20))
	after, err := residentBytes(os.Getpid())
	require.NoError(t, err)

	assert.Greater(t, after-before, int64(len(touched)/2))
	assert.Equal(t, byte('x'), touched[len(touched)-1])
}

func TestParseRollup(t *testing.T) {
	const rollup = "7f00-7fff ---p 00000000 00:00 0    [rollup]\nRss:               96720 kB\nPss:               90000 kB\n"
	for _, row := range []struct {
		name, data string
		want       int64
		fails      string
	}{
		{"as the kernel writes it", rollup, 96720 << 10, ""},
		{"no such line", "Pss: 1 kB\n", 0, "smaps_rollup: no Rss in it"},
		{"another unit", "Rss: 1 MB\n", 0, "smaps_rollup: no Rss in it"},
		{"no number", "Rss: x kB\n", 0, `smaps_rollup: strconv.ParseUint: parsing "x": invalid syntax`},
	} {
		t.Run(row.name, func(t *testing.T) {
			n, err := parseRollup([]byte(row.data))
			if row.fails != "" {
				require.EqualError(t, err, row.fails)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, row.want, n)
		})
	}
}

func FuzzParseRollup(f *testing.F) {
	f.Add([]byte("Rss: 12 kB\n"))
	f.Add([]byte("Rss: 99999999999999999999 kB\n"))
	f.Add([]byte("Rss:\nRss: -1 kB\nPss: 1 kB"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := parseRollup(data); err == nil && n < 0 {
			t.Fatalf("negative memory: %d", n)
		}
	})
}
