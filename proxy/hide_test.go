package proxy

import (
	"bytes"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/metrics"
)

func TestHiddenTextsDoNotFloodTheLog(t *testing.T) {
	var log bytes.Buffer
	gate, err := New(&configs.Settings{}, Parts{Log: zerolog.New(&log), Metrics: metrics.New(metrics.Build{})})
	require.NoError(t, err)
	for range 10_000 {
		gate.hidden.Warn().Msg("hidden")
	}
	lines := bytes.Count(log.Bytes(), []byte("hidden"))
	assert.GreaterOrEqual(t, lines, maxHiddenRate)
	assert.Less(t, lines, 1000)
}

func TestHiddenTextsDoNotCommandATerminal(t *testing.T) {
	for text, want := range map[string]string{
		"KeyError: 'ü'\n  at 日本": "KeyError: 'ü'\n  at 日本",
		"\x1b[2J":                "?[2J",
		"\u009b2J":               "?2J",
		"\u202eabc":              "?abc",
		"a\x00\r\x7f":            "a???",
		"cut \xe6\x97":           "cut ??",
	} {
		assert.Equal(t, want, string(bytes.Map(shown, []byte(text))), "%q", text)
	}
}
