package configs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// schemaNode is a part of the schema. Its methods are as much of JSON Schema
// 2020-12 as the schema uses.
type schemaNode map[string]any

func theSchema(t *testing.T) schemaNode {
	t.Helper()
	var s schemaNode
	require.NoError(t, json.Unmarshal([]byte(Schema()), &s))
	return s
}

func (s schemaNode) node(key string) schemaNode {
	part, _ := s[key].(map[string]any)
	return part
}

func (s schemaNode) list(key string) []schemaNode {
	items, _ := s[key].([]any)
	parts := make([]schemaNode, len(items))
	for i, item := range items {
		parts[i] = item.(map[string]any)
	}
	return parts
}

// resolved follows a reference to a definition, which the node may add to.
func (s schemaNode) resolved() schemaNode {
	ref, ok := s["$ref"].(string)
	if !ok {
		return s
	}
	var whole schemaNode
	_ = json.Unmarshal([]byte(Schema()), &whole) // theSchema has checked it
	return whole.node("$defs").node(strings.TrimPrefix(ref, "#/$defs/"))
}

// fault returns why value does not fit, or "". value comes from JSON.
func (s schemaNode) fault(value any) string {
	s = s.resolved()
	checks := []func(any) string{s.kindFault, s.choiceFault, s.rangeFault, s.sectionFault, s.itemFault, s.conditionFault}
	for _, check := range checks {
		if fault := check(value); fault != "" {
			return fault
		}
	}
	return ""
}

func (s schemaNode) kindFault(value any) string {
	is := ""
	switch v := value.(type) {
	case string:
		is = "string"
	case bool:
		is = "boolean"
	case []any:
		is = "array"
	case map[string]any:
		is = "object"
	case float64:
		is = "number"
		if s["type"] == "integer" && v == float64(int64(v)) {
			is = "integer"
		}
	}
	if wanted, ok := s["type"].(string); ok && wanted != is {
		return is + " is no " + wanted
	}
	return ""
}

func (s schemaNode) choiceFault(value any) string {
	same := func(choice any) bool { return reflect.DeepEqual(choice, value) }
	if choices, ok := s["enum"].([]any); ok && !slices.ContainsFunc(choices, same) {
		return fmt.Sprint(value, " is none of ", choices)
	}
	if only, ok := s["const"]; ok && !same(only) {
		return fmt.Sprint(value, " is not ", only)
	}
	fits := 0
	choices := s.list("oneOf")
	for _, choice := range choices {
		if choice.fault(value) == "" {
			fits++
		}
	}
	if len(choices) > 0 && fits != 1 {
		return fmt.Sprint(value, " fits ", fits, " choices")
	}
	return ""
}

func (s schemaNode) rangeFault(value any) string {
	number, isNumber := value.(float64)
	text, isText := value.(string)
	if low, ok := s["minimum"].(float64); ok && isNumber && number < low {
		return fmt.Sprint(number, " is too small")
	}
	if high, ok := s["maximum"].(float64); ok && isNumber && number > high {
		return fmt.Sprint(number, " is too large")
	}
	if pattern, ok := s["pattern"].(string); ok && isText && !regexp.MustCompile(pattern).MatchString(text) {
		return text + " does not match " + pattern
	}
	if least, ok := s["minLength"].(float64); ok && isText && len(text) < int(least) {
		return "text is too short"
	}
	return ""
}

func (s schemaNode) sectionFault(value any) string {
	section, ok := value.(map[string]any)
	if !ok {
		return ""
	}
	wanted, _ := s["required"].([]any)
	for _, key := range wanted {
		if _, there := section[key.(string)]; !there {
			return key.(string) + " is missing"
		}
	}
	for key, item := range section {
		property := s.node("properties").node(key)
		if property == nil && s["additionalProperties"] == false {
			return key + " is unknown"
		}
		if fault := property.fault(item); fault != "" {
			return key + ": " + fault
		}
	}
	return ""
}

func (s schemaNode) itemFault(value any) string {
	items, ok := value.([]any)
	if !ok {
		return ""
	}
	if least, ok := s["minItems"].(float64); ok && len(items) < int(least) {
		return "too few items"
	}
	for i, item := range items {
		if s["uniqueItems"] == true && slices.ContainsFunc(items[:i], func(other any) bool { return reflect.DeepEqual(item, other) }) {
			return fmt.Sprint(i, " is there twice")
		}
	}
	for i, item := range items {
		if fault := s.node("items").fault(item); fault != "" {
			return fmt.Sprint(i, ": ", fault)
		}
	}
	return ""
}

func (s schemaNode) conditionFault(value any) string {
	if refused := s.node("not"); refused != nil && refused.fault(value) == "" {
		return fmt.Sprint("fits ", refused)
	}
	for _, part := range s.list("allOf") {
		if fault := part.fault(value); fault != "" {
			return fault
		}
	}
	if condition := s.node("if"); condition != nil && condition.fault(value) == "" {
		return s.node("then").fault(value)
	}
	return ""
}

func schemaFault(t *testing.T, text string) string {
	t.Helper()
	var value any
	require.NoError(t, json.Unmarshal([]byte(toJSON(t, tree(t, text))), &value))
	return theSchema(t).fault(value)
}

func TestTheSchemaTakesWhatTheCodeTakes(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	require.NoError(t, err)
	for _, file := range append(files, "minimal.yaml", "reference.yaml") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Empty(t, schemaFault(t, string(data)), file)
	}
}

// An editor can't know everything. What is beyond it is listed, so that the
// list can only shrink knowingly.
func TestTheSchemaRefusesWhatItCanKnow(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	require.NoError(t, err)
	known, err := os.ReadFile("testdata/beyond-schema.txt")
	require.NoError(t, err)
	var beyond []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if strings.HasPrefix(name, "syntax-") || name == "key-twice" || name == "key-not-plain" {
			continue // not even a tree
		}
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		if schemaFault(t, string(data)) == "" {
			beyond = append(beyond, name)
		}
	}
	require.Equal(t, strings.Fields(string(known)), beyond)
}
