package configs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// Whatever is written, Parse returns settings or mistakes that each have a
// place, in one line each.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	require.NoError(f, err)
	for _, file := range append(files, "minimal.yaml", "reference.yaml") {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data, "TRACKGATE_LOG_LEVEL=debug")
	}
	f.Add([]byte("listeners: []"), "TRACKGATE_LISTENERS_0_NAME=a")
	f.Add([]byte("log: {level: ${A}}"), "A=info")
	f.Add([]byte("cors: off"), "TRACKGATE_LISTENERS_1_CORS_ORIGINS=*,https://x.example")
	f.Fuzz(func(t *testing.T, data []byte, variable string) {
		settings, err := configs.Parse("fuzz.yaml", data, []string{variable})
		if err == nil {
			require.NotEmpty(t, settings.Listeners)
			return
		}
		var mistakes configs.Mistakes
		require.True(t, errors.As(err, &mistakes), "%v", err)
		require.NotEmpty(t, mistakes)
		for _, m := range mistakes {
			if !strings.HasPrefix(m.File, "TRACKGATE_") {
				require.Equal(t, "fuzz.yaml", m.File)
				require.Positive(t, m.Line)
				require.Positive(t, m.Column)
			}
			require.NotEmpty(t, m.Wanted)
		}
		require.Equal(t, len(mistakes), strings.Count(err.Error(), "\n")+1)
	})
}

// Files made to hurt are refused before they do.
func TestBombsAreHarmless(t *testing.T) {
	const size = 1 << 20
	fill := func(unit string) string { return strings.Repeat(unit, (size-100)/len(unit)) }
	bombs := map[string]string{
		"laughs":        "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
		"open lists":    fill("["),
		"open maps":     fill("{a: "),
		"dashes":        fill("- "),
		"many keys":     fill("a\n: b\n"),
		"one key":       fill("a: b\n"),
		"long text":     "a: " + fill("x"),
		"presets":       "listeners: [{kind: public, allow: [" + fill("track,") + "]}]",
		"listeners":     "listeners: [" + fill("{kind: public, allow: [track,uix]},") + "]",
		"hosts":         "listeners: [{hosts: [" + fill("a.b,") + "]}]",
		"variables":     "log: {level: '" + fill("${A}") + "'}",
		"comments":      fill("# x\n"),
		"quoted breaks": "a: \"" + fill("\\\n") + "\"",
		"deep flow":     "a: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
	}
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := configs.Parse("bomb.yaml", []byte(bomb), []string{"A=" + strings.Repeat("b", 100_000)})
			require.Error(t, err)
			require.Less(t, len(err.Error()), 1<<20)
			require.Less(t, time.Since(start), time.Minute)
		})
	}
}
