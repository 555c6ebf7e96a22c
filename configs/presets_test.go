package configs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

func TestPresetsAreWhatWebPagesNeed(t *testing.T) {
	get, read := []string{"GET"}, []string{"GET", "HEAD"}
	collect, follow := []string{"GET", "POST"}, []string{"GET", "POST", "PUT", "DELETE"}
	type routes map[string][]string
	wanted := map[string]routes{
		"track":    {"/track": {"POST"}},
		"tracker":  {"/tracker/liliput.min.js": read, "/tracker/liliput.min.js.map": read},
		"uix":      {"/uix/*": read},
		"consent":  {"/customer/consent": {"POST"}, "/consents/type/enabled": get},
		"collect":  {"/collect/{type}/{source}": collect, "/collect/{type}/{source}/{session}": collect},
		"redirect": {"/redirect/{id}": follow, "/redirect/{id}/{session}": follow},
	}
	require.Len(t, configs.PresetNames(), len(wanted))
	for _, name := range configs.PresetNames() {
		got := routes{}
		for _, a := range (configs.Allow{Preset: name}).Expand() {
			require.Equal(t, name, a.Preset)
			require.Equal(t, []configs.Allow{a}, a.Expand())
			got[a.Path] = a.Methods
		}
		require.Equal(t, wanted[name], got, name)
	}
}

func TestAPathOfItsOwnExpandsToItself(t *testing.T) {
	own := configs.Allow{Methods: []string{"POST"}, Path: "/x"}

	require.Equal(t, []configs.Allow{own}, own.Expand())
	require.Empty(t, configs.Allow{Preset: "unknown"}.Expand())
}

func TestWhatOnlyTouchesMayBothBeAllowed(t *testing.T) {
	for _, allow := range []string{
		"[track, tracker, uix, consent, collect, redirect]",
		"[track, {methods: [PUT], path: /track}]",
		"[track, {methods: [POST], path: /track/*}]",
		"[uix, {methods: [GET], path: /uix}]",
		"[uix, {methods: [POST], path: /uix/a}]",
		"[collect, {methods: [GET], path: /collect/a/*}]",
		"[collect, {methods: [GET], path: /collect/a}]",
		"[{methods: [GET], path: /}, {methods: [GET], path: /a}]",
	} {
		parsed(t, plain[:len(plain)-len(tail)]+"    allow: "+allow+"\n"+tail)
	}
}

// tail is the end of plain, behind its only listener.
const tail = `pools:
  - {name: collectors, backends: ["http://10.0.0.11:8686"]}
`
