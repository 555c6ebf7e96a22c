package main

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAChangeCountsWhenItIsWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	write("one")
	w := newWatched(path)
	assert.False(t, w.changed())
	write("tw")
	assert.False(t, w.changed(), "seen once")
	write("two")
	assert.False(t, w.changed(), "and then it was different")
	assert.True(t, w.changed())
	assert.False(t, w.changed(), "once for each change")
	require.NoError(t, os.Remove(path))
	assert.False(t, w.changed())
	assert.False(t, w.changed(), "nothing is not new")
	write("two")
	assert.False(t, w.changed())
	assert.False(t, w.changed(), "what is in use already")
	write("three")
	w.changed()
	assert.True(t, w.changed())
}

// As Kubernetes does it: the file is a link into a folder that is a link itself, which is
// replaced at once.
func TestAConfigMapThatIsReplacedIsReloaded(t *testing.T) {
	g := newOperated(t)
	text, err := os.ReadFile(g.file)
	require.NoError(t, err)
	folder := filepath.Dir(g.file)
	version := func(name, text string) {
		require.NoError(t, os.Mkdir(filepath.Join(folder, name), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name, "gate.yaml"), []byte(text), 0o600))
		require.NoError(t, os.Symlink(name, filepath.Join(folder, "new")))
		require.NoError(t, os.Rename(filepath.Join(folder, "new"), filepath.Join(folder, "..data")))
	}
	watching := replace(t, string(text), "admin: {", "admin: {watch: true, ")
	version("v1", watching)
	require.NoError(t, os.Remove(g.file))
	require.NoError(t, os.Symlink(filepath.Join("..data", "gate.yaml"), g.file))
	assert.Equal(t, exitFine, try("reload", "-c", g.file).code)

	version("v2", replace(t, watching, `hosts: ["localhost"],`, exposed))
	require.Eventually(t, func() bool { return g.status(t, "PUT", "/more") == 200 }, 20*time.Second, 50*time.Millisecond)
	version("v3", "listeners: [")
	require.Eventually(t, func() bool { return g.metric(t, "trackgate_config_last_reload_successful") == "0" }, 20*time.Second, 50*time.Millisecond)
	assert.Equal(t, 200, g.status(t, "PUT", "/more"))
}

// What is told of a file is told of the content that was read, however often it is replaced.
func TestTheContentThatIsToldIsTheOneInUse(t *testing.T) {
	p := newPlace(t)
	file := p.settings(t)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	contents := map[time.Duration][]byte{0: text, time.Hour: []byte(replace(t, string(text), "kind: public,", "kind: public, hsts: 1h,"))}
	var over atomic.Bool
	var writing sync.WaitGroup
	writing.Go(func() {
		for n := 0; !over.Load(); n++ {
			next := contents[time.Duration(n%2)*time.Hour]
			if os.WriteFile(file+".new", next, 0o600) != nil || os.Rename(file+".new", file) != nil {
				return
			}
		}
	})
	defer writing.Wait()
	defer over.Store(true)
	for range 100 {
		settings, content, err := source{file: file}.load()
		require.NoError(t, err)
		require.Equal(t, printOf(contents[settings.Listeners[0].HSTS]), content)
	}
}
