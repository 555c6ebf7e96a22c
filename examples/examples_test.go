// Package examples holds one folder per way to run the gate. Its tests load
// every setting that we show to somebody.
package examples

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/reason"
)

// secrets are what the environment has for the settings that ask for it.
var secrets = []string{"REDIS_PASSWORD=secret", "REDIS_ENCRYPTION_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}

// load puts text into a folder of its own, with the PEM files that it may name. What is
// mounted at /tls in a container is there as well.
func load(t *testing.T, text string) (*configs.Settings, error) {
	t.Helper()
	folder := t.TempDir()
	text = strings.ReplaceAll(text, "/tls/", "")
	for name, content := range map[string]string{"trackgate.yaml": text, "tls.crt": "", "tls.key": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	return configs.Load(filepath.Join(folder, "trackgate.yaml"), secrets)
}

func TestEveryExampleIsWithoutMistakes(t *testing.T) {
	files, err := fs.Glob(os.DirFS("."), "*/trackgate.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 3)
	for _, file := range files {
		t.Run(filepath.Dir(file), func(t *testing.T) {
			_, err := load(t, read(t, file))
			assert.NoError(t, err)
			assert.FileExists(t, filepath.Join(filepath.Dir(file), "README.md"))
		})
	}
}

func TestWhatIsInstalledIsWithoutMistakes(t *testing.T) {
	_, err := load(t, read(t, "../packaging/trackgate.yaml"))
	assert.NoError(t, err)
}

func TestEveryFolderIsAnExample(t *testing.T) {
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.IsDir() {
			assert.FileExists(t, filepath.Join(entry.Name(), "trackgate.yaml"))
		}
	}
}

func TestExamplesSayWhatTheyAreFor(t *testing.T) {
	edge, err := load(t, read(t, "edge-vm/trackgate.yaml"))
	require.NoError(t, err)
	kinds := map[configs.Kind]int{}
	for _, l := range edge.Listeners {
		kinds[l.Kind]++
	}
	assert.Equal(t, map[configs.Kind]int{configs.Public: 1, configs.GUI: 2, configs.Redirect: 1}, kinds)

	sidecar, err := load(t, read(t, "sidecar/trackgate.yaml"))
	require.NoError(t, err)
	assert.False(t, sidecar.Listeners[0].TLS)

	trial, err := load(t, read(t, "trying-out/trackgate.yaml"))
	require.NoError(t, err)
	assert.Equal(t, configs.IssuerInternal, trial.TLS.Issuer)
}

// settingsIn finds the settings in a document: the YAML blocks with listeners.
var settingsIn = regexp.MustCompile("(?s)```yaml\n(listeners:.*?)```")

func TestTheReadmeShowsSettingsThatWork(t *testing.T) {
	shown := settingsIn.FindAllStringSubmatch(read(t, "../README.md"), -1)
	require.NotEmpty(t, shown)
	for _, block := range shown {
		_, err := load(t, block[1])
		assert.NoError(t, err, block[1])
	}
	assert.LessOrEqual(t, strings.Count(shown[0][1], "\n"), 10, "the first settings are ten lines")
}

func TestTheReadmeExplainsEveryReason(t *testing.T) {
	text := read(t, "../README.md")
	for r := reason.OK + 1; r < reason.Count; r++ {
		assert.Contains(t, text, "`"+r.String()+"`")
	}
}

func TestTheReadmeOnlyNamesTargetsThatAreThere(t *testing.T) {
	makefile := read(t, "../Makefile")
	named := regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(read(t, "../README.md"), -1)
	require.NotEmpty(t, named)
	for _, target := range named {
		assert.True(t, strings.Contains(makefile, "\n"+target[1]+": "), "make %s", target[1])
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
