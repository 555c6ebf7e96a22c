package wirecheck

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// footprint is what a process takes from the system.
type footprint struct {
	resident int // bytes of memory
	peak     int // the most of that since newPeak
	files    int
}

const mib = 1 << 20

// measure returns the footprint of the gate.
func (g gate) measure(t *testing.T) footprint {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.pid))
	require.NoError(t, err)
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.pid))
	require.NoError(t, err)
	return footprint{resident: kilobytes(string(status), "VmRSS"), peak: kilobytes(string(status), "VmHWM"), files: len(files)}
}

// newPeak begins to look for the peak again.
func (g gate) newPeak(t *testing.T) {
	t.Helper()
	require.NoError(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", g.pid), []byte("5"), 0))
}

// kilobytes returns a value of /proc/PID/status, in bytes.
func kilobytes(status, name string) int {
	lines := bufio.NewScanner(strings.NewReader(status))
	for lines.Scan() {
		if text, found := strings.CutPrefix(lines.Text(), name+":"); found {
			n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(text), " kB"))
			return n << 10
		}
	}
	return 0
}

func TestFootprintsAreRead(t *testing.T) {
	assert.Equal(t, 12<<10, kilobytes("Name:\tx\nVmRSS:\t      12 kB\nVmHWM: 13 kB\n", "VmRSS"))
	assert.Equal(t, 0, kilobytes("Name:\tx\n", "VmRSS"))

	self := gate{pid: os.Getpid()}
	pages, err := unix.Mmap(-1, 0, 64*mib, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	for i := 0; i < len(pages); i += os.Getpagesize() {
		pages[i] = 1
	}
	require.NoError(t, unix.Munmap(pages))
	after := self.measure(t)
	assert.Greater(t, after.peak, after.resident+32*mib)
	assert.Positive(t, after.files)

	self.newPeak(t)
	after = self.measure(t)
	assert.Less(t, after.peak, after.resident+32*mib)
}
