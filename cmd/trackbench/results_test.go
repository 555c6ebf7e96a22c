package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// someResults are of two scenarios that everybody played.
func someResults() results {
	field := []contender{trackgate(ours, "trackgate", trackgateSettings+operated), nginx(), haproxy()}
	r := results{Go: "go1.26", Proxies: map[string]string{"nginx": "nginx/1.22"}}
	r.add(scenario{name: "visit", unit: unitProcessor, aim: 0.85}, field, [][]float64{{170, 160, 180}, {200, 190, 210}, {300, 310, 320}})
	r.add(scenario{name: "idle", unit: unitMemory, aim: 12_000}, field, [][]float64{{9_000}, {15_000}, {15_400}})
	return r
}

func TestTable(t *testing.T) {
	var out bytes.Buffer

	require.NoError(t, someResults().writeTable(&out))

	assert.Equal(t, `  scenario      proxy  median    min    max               unit  ratio       aim
     visit  trackgate   170.0  160.0  180.0     us cpu/request   0.85   <= 0.85
     visit      nginx   200.0  190.0  210.0     us cpu/request   1.00          
     visit    haproxy   310.0  300.0  320.0     us cpu/request   1.55          
      idle  trackgate     9.0    9.0    9.0  kB rss/connection   0.60  <= 12 kB
      idle      nginx    15.0   15.0   15.0  kB rss/connection   1.00          
      idle    haproxy    15.4   15.4   15.4  kB rss/connection   1.03          

ratio: to the better of nginx and haproxy; lower is better
`, out.String())
}

func TestTableWithoutPeersHasNoRatio(t *testing.T) {
	var r results
	r.add(scenario{name: "visit", unit: unitProcessor}, []contender{trackgate(ours, "trackgate", trackgateSettings+operated)}, [][]float64{{170}})
	var out bytes.Buffer

	require.NoError(t, r.writeTable(&out))

	assert.Contains(t, out.String(), "us cpu/request      -")
}

func TestJSONHasEveryRoundAndUnit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "figures.json")

	require.NoError(t, someResults().writeJSON(path))

	var back results
	require.NoError(t, json.Unmarshal([]byte(fileText(t, path)), &back))
	require.Len(t, back.Scenarios, 2)
	visit := back.Scenarios[0]
	assert.Equal(t, "cpu_microseconds_per_request", visit.Unit)
	assert.Equal(t, spread{Median: 200, Min: 190, Max: 210, Rounds: []float64{200, 190, 210}}, visit.Proxies["nginx"])
	assert.Equal(t, 0.85, visit.Ratios["trackgate"])
	assert.Equal(t, "rss_bytes_per_connection", back.Scenarios[1].Unit)
}

func TestJSONIsWrittenOnlyWhereItIsWanted(t *testing.T) {
	require.NoError(t, results{}.writeJSON(""))
	assert.ErrorIs(t, results{}.writeJSON(filepath.Join(t.TempDir(), "missing", "x")), os.ErrNotExist)
}
