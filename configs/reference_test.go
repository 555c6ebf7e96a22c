package configs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// required returns the keys of the reference that have no default.
func required() []string {
	return []string{
		"listeners", "listeners[].name", "listeners[].kind", "listeners[].address", "listeners[].hosts", "listeners[].pool",
		"listeners[].clients", "listeners[].allow[].methods", "listeners[].allow[].path", "pools", "pools[].name", "pools[].backends",
		"pools[].backends[].url", "tls.files[].certificate", "tls.files[].key", "tls.ech[].config", "tls.ech[].private_key",
		"tls.acme.fallback[].directory", "tests[].request", "tests[].from", "tests[].expect",
	}
}

// keysOf returns every key below t, like listeners[].limits.body, and its type.
func keysOf(t reflect.Type, above string, keys map[string]reflect.Type) map[string]reflect.Type {
	switch {
	case t.Kind() == reflect.Slice:
		keysOf(t.Elem(), above+"[]", keys)
	case !plain(t):
		for _, f := range fieldsOf(t) {
			key := child(above, f.key)
			keys[key] = f.typ
			keysOf(f.typ, key, keys)
		}
	}
	return keys
}

// written gathers every key of a document and the value it has first.
func written(value any, above string, values map[string]any) map[string]any {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			written(item, above+"[]", values)
		}
	case map[string]any:
		for key, item := range v {
			at := strings.TrimPrefix(above+"."+key, ".")
			if _, there := values[at]; !there {
				values[at] = item
			}
			written(item, at, values)
		}
	}
	return values
}

// described gathers the schema of every key.
func described(s schemaNode, above string, all map[string]schemaNode) map[string]schemaNode {
	s = s.resolved()
	for _, choice := range s.list("oneOf") {
		described(choice, above, all)
	}
	if items := s.node("items"); items != nil {
		described(items, above+"[]", all)
	}
	for key := range s.node("properties") {
		at := strings.TrimPrefix(above+"."+key, ".")
		all[at] = s.node("properties").node(key)
		described(all[at], at, all)
	}
	return all
}

func keys[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for key := range m {
		all = append(all, key)
	}
	slices.Sort(all)
	return all
}

func tree(t *testing.T, text string) any {
	t.Helper()
	var value any
	require.NoError(t, yaml.Unmarshal([]byte(text), &value))
	return value
}

func TestCodeReferenceAndSchemaHaveTheSameKeys(t *testing.T) {
	code := keys(keysOf(reflect.TypeFor[draft](), "", map[string]reflect.Type{}))

	require.Equal(t, code, keys(written(tree(t, Reference()), "", map[string]any{})))
	require.Equal(t, code, keys(described(theSchema(t), "", map[string]schemaNode{})))
}

func TestReferenceAndSchemaHaveTheSameDefaults(t *testing.T) {
	values := written(tree(t, Reference()), "", map[string]any{})
	types := keysOf(reflect.TypeFor[draft](), "", map[string]reflect.Type{})
	for key, s := range described(theSchema(t), "", map[string]schemaNode{}) {
		require.NotEmpty(t, s["description"], key)
		value, has := s["default"]
		leaf := plain(types[key]) || types[key].Kind() == reflect.Slice
		require.Equal(t, leaf && !slices.Contains(required(), key), has, "default of %s", key)
		if has && key != "tls.files" && key != "tls.ech" && key != "tls.acme.fallback" && key != "tests" {
			require.Equal(t, toJSON(t, value), toJSON(t, values[key]), key)
		}
	}
}

// The reference means the same without every key that has a default.
func TestTheReferenceHasTheDefaultsOfTheCode(t *testing.T) {
	whole := tree(t, Reference())
	bare := tree(t, Reference()).(map[string]any)
	for key := range bare {
		if key != "listeners" && key != "pools" && key != "tls" && key != "tests" {
			delete(bare, key)
		}
	}
	for _, expected := range bare["tests"].([]any) {
		keepOnly(expected, "request", "from", "expect")
	}
	keepOnly(bare["tls"], "files", "ech")
	keepOnly(bare["listeners"].([]any)[0], "name", "kind", "address", "hosts", "pool")
	keepOnly(bare["pools"].([]any)[0], "name", "backends")
	delete(bare["pools"].([]any)[0].(map[string]any)["backends"].([]any)[1].(map[string]any), "weight")
	delete(bare["listeners"].([]any)[1].(map[string]any), "deny")

	folder := t.TempDir()
	require.Equal(t, loaded(t, folder, bare), loaded(t, folder, whole))
}

func keepOnly(section any, kept ...string) {
	for key := range section.(map[string]any) {
		if !slices.Contains(kept, key) {
			delete(section.(map[string]any), key)
		}
	}
}

// loaded parses a document with the files of the reference in folder.
func loaded(t *testing.T, folder string, value any) *Settings {
	t.Helper()
	data, err := yaml.Marshal(value)
	require.NoError(t, err)
	for _, file := range []string{"tls.crt", "tls.key", "ech.pem"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, file), nil, 0o600))
	}
	settings, err := Parse("reference.yaml", []byte(strings.ReplaceAll(string(data), "/etc/trackgate", folder)), nil)
	require.NoError(t, err)
	settings.Tests = placeless(settings.Tests)
	return settings
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	data, err := json.Marshal(value)
	require.NoError(t, err)
	return string(data)
}
