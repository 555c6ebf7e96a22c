package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDispatchExitCodes(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"unknown verb", []string{"brew"}, exitMistake, `unknown verb "brew": wanted run, load, backend or sink`},
		{"run is the default", []string{"-only", "apache"}, exitMistake, `unknown name "apache": wanted trackgate, nginx, haproxy`},
		{"unknown scenario", []string{"run", "-trackgate", "/bin/true", "-only", "trackgate", "-scenarios", "sleep"}, exitMistake, `unknown name "sleep": wanted keepalive, visit, resumed, idle, h2-32x8, h2-64x1, h2-128x2, h2-idle`},
		{"too many certificates", []string{"-certificates", "100001"}, exitMistake, "-certificates must be from 0 to 100000"},
		{"too many rounds", []string{"-rounds", "1001"}, exitMistake, "-rounds must be from 0 to 1000"},
		{"no such program", []string{"-only", "trackgate", "-trackgate", "/nowhere"}, exitMistake, `trackgate: no program "/nowhere"`},
		{"one core for both", []string{"-proxy-core", "1"}, exitMistake, "-proxy-core and -load-core must differ"},
		{"unknown flag", []string{"-x"}, exitMistake, "flag provided but not defined: -x"},
		{"help", []string{"-h"}, exitFine, "about three minutes"},
		{"failure", []string{"sink", "-file", "/nowhere/lines"}, exitFailure, "trackbench: sink: open /nowhere/lines"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out bytes.Buffer
			code := dispatch(t.Context(), row.args, streams{out: &out, err: &out})
			assert.Equal(t, row.code, code)
			assert.Contains(t, out.String(), row.says)
		})
	}
}

func TestOptionsChoose(t *testing.T) {
	o, err := parseOptions([]string{"-scenarios", "idle,visit", "-only", "nginx", "-quick", "-json", "x"}, streams{err: new(bytes.Buffer)})
	require.NoError(t, err)

	plan, err := o.plan()

	require.NoError(t, err)
	require.Len(t, plan, 2)
	assert.Equal(t, []string{"visit", "idle"}, []string{plan[0].name, plan[1].name}, "in our order")
	assert.Equal(t, options{trackgate: "bin/trackgate", only: []string{"nginx"}, scenarios: []string{"idle", "visit"},
		jsonFile: "x", loadCore: 1, quick: true}, o)
}

func TestQuickIsLessOfTheSame(t *testing.T) {
	full, quick := scenarios(false), scenarios(true)

	require.Len(t, quick, len(full))
	for i := range full {
		assert.Equal(t, full[i].name, quick[i].name)
		assert.Equal(t, full[i].connections, quick[i].connections)
		assert.Less(t, quick[i].rounds, full[i].rounds)
		assert.LessOrEqual(t, quick[i].requests, full[i].requests)
	}
}
