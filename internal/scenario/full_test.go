//go:build scenario

package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/faults"
)

// dropped is the series that counts lines of the access log that were lost.
const dropped = "trackgate_access_log_dropped_total"

// lineSize is more than a line of the access log has, in bytes.
const lineSize = 1 << 10

// A log that cannot be written costs nobody an answer, and what it lost is known to
// the line.
func TestScenario20AFullDiskCostsLinesOfTheLogAlone(t *testing.T) {
	t.Parallel()
	room := lineSize * rate() / 2 // for half a second, about: the lines are shorter
	d := newDisk(t, lineSize*rate()*lasts(20, 60))
	s := newSite(t, plan{backends: 2, role: role{Latency: thinks}, log: d.file("access.log")})
	before := s.logged(t)
	d.fill(t, room)
	l := s.load(t, rate())
	require.True(t, await(recovery, func() bool { return s.vitals(t)[dropped] > 0 }), "the disk is never full")
	pause(lasts(time.Second, 20*time.Second))
	d.clear(t)
	lost := s.logStops(t)
	pause(lasts(time.Second, 20*time.Second))
	r := l.stop()

	r.faultless(t, "requests")
	assert.Empty(t, s.twice(t, r).shown(), "delivered twice")
	s.settle(t, r)
	assert.Equal(t, lost, s.vitals(t)[dropped], "lines that were lost, also when there was room again")
	after := s.logged(t)
	t.Logf("%d lines written, %v lost", after.whole-before.whole, lost)
	assert.Equal(t, before.whole+len(r), after.whole+int(lost), "each exchange has its line, or is counted among the lost")
	assert.LessOrEqual(t, after.torn, 1, "lines that are spoiled by a disk that was full once")
	assert.Equal(t, 1, strings.Count(s.process.Output(t), "the access log cannot be written"), "said once")
	assert.Equal(t, 1, strings.Count(s.process.Output(t), "the access log is written again"), "said once")
}

// lines are those of the access log.
type lines struct{ whole, torn int }

// logged waits until the log has nothing more to write and counts what it wrote.
func (s *site) logged(t *testing.T) (count lines) {
	t.Helper()
	var text []byte
	require.True(t, await(recovery, func() bool {
		before := text
		pause(300 * time.Millisecond) // lines wait 200 ms at most
		var err error
		text, err = os.ReadFile(s.exchanges)
		require.NoError(t, err)
		return before != nil && bytes.Equal(before, text)
	}), "the log never rests")
	for line := range bytes.Lines(text) {
		if json.Valid(line) {
			count.whole++
		} else {
			count.torn++
		}
	}
	return count
}

// logStops waits until no more lines are lost and returns how many were.
func (s *site) logStops(t *testing.T) float64 {
	t.Helper()
	require.True(t, await(recovery, func() bool {
		return strings.Contains(s.process.Output(t), "the access log is written again")
	}), "the log does not go on when there is room again")
	return s.vitals(t)[dropped]
}

// The internal CA needs no room: a certificate that is due is signed in memory, and so is
// one for a host that is new. What becomes of renewals that need room, those of an ACME
// authority, is seen in internal/suites/acme/full_test.go: they are tried again.
func TestScenario20AFullStorageKeepsNoCertificateFromClients(t *testing.T) {
	t.Parallel()
	d := newDisk(t, 256<<10)
	s := newTimed(t, "UTC", plan{backends: 2, role: role{Latency: thinks}, storage: string(d)})
	original, err := os.ReadFile(s.file)
	require.NoError(t, err)
	l := s.load(t, rate())
	pause(warmUp)
	d.fill(t, 0)
	before := d.names(t)
	pause(lasts(time.Second, 20*time.Second))
	s.jump(t, 90*day) // its life is over
	s.rewrite(t, string(original), `hosts: ["localhost"]`, `hosts: ["localhost", "more.test"]`)
	output, err := s.verb(t, "reload")
	require.NoError(t, err, "%s", output)
	pause(lasts(500*time.Millisecond, 5*time.Second))
	r := l.stop()

	r.faultless(t, "requests")
	assert.NoError(t, s.shakeAs(t, "more.test", 90*day), "a host that came when there was no room")
	assert.Equal(t, before, d.names(t), "files in the storage")
	assert.Equal(t, 3, strings.Count(s.process.Output(t), "certificate signed by the internal CA"))
	s.settle(t, r)
}

// Without its CA a gate cannot begin. It says why, and leaves nothing behind that would
// be in its way when there is room.
func TestScenario20AFirstStartOnAFullStorageCanBeRepeated(t *testing.T) {
	t.Parallel()
	d := newDisk(t, 256<<10)
	d.fill(t, 0)
	file := filepath.Join(t.TempDir(), "trackgate.yaml")
	text := fmt.Sprintf(settings, faults.Address(t), "", `"http://127.0.0.1:9"`, checked, "", "0", string(d), filepath.Join(t.TempDir(), "admin.sock"),
		faults.Address(t), "off", "")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	output, err := exec.Command(gate(t), "run", "-c", file).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", output)
	assert.Equal(t, 2, exit.ExitCode(), "%s", output)
	assert.Contains(t, string(output), "tls.storage "+string(d)+": the internal CA cannot be kept there")
	assert.Contains(t, string(output), "no space left on device")

	d.clear(t)
	s := newSite(t, plan{backends: 1, storage: string(d)})
	s.settle(t, report{s.client.visit(request{id: "v-1", post: true})})
}
