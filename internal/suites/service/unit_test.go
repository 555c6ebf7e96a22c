//go:build suites

package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// notifyReload is the first systemd that knows Type=notify-reload.
const notifyReload = 253

// unit returns the unit with a program that is there.
func unit(t *testing.T) string {
	t.Helper()
	needs(t, "systemd-analyze")
	text, err := os.ReadFile(filepath.Join(root, "packaging/systemd/trackgate.service"))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "trackgate.service")
	changed := strings.Replace(string(text), "/usr/bin/trackgate", "/bin/true", 1)
	require.NoError(t, os.WriteFile(file, []byte(changed), 0o600))
	return file
}

// systemd returns the number of the version.
func systemd(t *testing.T) int {
	t.Helper()
	said := run(t, "systemd-analyze", "--version")
	number := regexp.MustCompile(`^systemd (\d+)`).FindStringSubmatch(said)
	require.NotNil(t, number, said)
	version, err := strconv.Atoi(number[1])
	require.NoError(t, err)
	return version
}

func TestSystemdFindsNoFaultWithTheUnit(t *testing.T) {
	file := unit(t)
	complaints, err := exec.Command("systemd-analyze", "verify", file).CombinedOutput()
	require.NoError(t, err, "%s", complaints)
	for line := range strings.Lines(string(complaints)) {
		known := systemd(t) < notifyReload && strings.HasSuffix(line, "Failed to parse service type, ignoring: notify-reload\n")
		assert.True(t, known, line)
	}
}

func TestTheServiceMayDoLittle(t *testing.T) {
	table := run(t, "systemd-analyze", "security", "--offline=true", "--no-pager", unit(t))
	score := regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`).FindStringSubmatch(table)
	require.NotNil(t, score, table)
	exposure, err := strconv.ParseFloat(score[1], 64)
	require.NoError(t, err)
	assert.LessOrEqual(t, exposure, 2.0, table)
}
