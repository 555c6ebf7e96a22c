package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Difference is a key that has another value in other settings. "" is where a whole entry
// of a list is not there. Secrets are not shown.
type Difference struct {
	Key string `json:"key"` // entries of lists by their names: listeners.public.hosts
	Old string `json:"old"`
	New string `json:"new"`
}

// String says it in a line.
func (d Difference) String() string {
	switch {
	case d.Old == "":
		return "+ " + d.Key + ": " + d.New
	case d.New == "":
		return "- " + d.Key + ": " + d.Old
	}
	return "~ " + d.Key + ": " + d.Old + " -> " + d.New
}

// secrets are keys whose values are told to nobody.
func secrets() []string {
	return []string{"password", "encryption_key", "hmac_key", "api_token", "secret", "rfc2136.key", "traces.headers"}
}

// Diff returns what is different in other settings than old, in the order of the fields.
func Diff(old, other *Settings) []Difference {
	list, a, b := []Difference{}, *old, *other
	a.Tests, b.Tests = placeless(a.Tests), placeless(b.Tests) // one that moves is the same
	compare("", reflect.ValueOf(a), reflect.ValueOf(b), &list)
	return list
}

func compare(key string, a, b reflect.Value, list *[]Difference) {
	switch {
	case reflect.DeepEqual(a.Interface(), b.Interface()):
	case a.Kind() == reflect.Struct && !hasText(a):
		for i := range a.NumField() {
			compare(child(key, keyOf(a.Type().Field(i).Name)), a.Field(i), b.Field(i), list)
		}
	case a.Kind() == reflect.Slice && isNamed(a.Type().Elem()):
		compareLists(key, a, b, list)
	default:
		*list = append(*list, Difference{key, show(key, a), show(key, b)})
	}
}

func isNamed(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	_, named := t.FieldByName("Name")
	return named
}

// compareLists matches entries by their names.
func compareLists(key string, a, b reflect.Value, list *[]Difference) {
	for i := range a.Len() {
		name := nameOf(a.Index(i))
		if other, ok := byName(b, name); ok {
			compare(child(key, name), a.Index(i), other, list)
			continue
		}
		*list = append(*list, Difference{Key: child(key, name), Old: show(key, a.Index(i))})
	}
	for i := range b.Len() {
		if _, ok := byName(a, nameOf(b.Index(i))); !ok {
			*list = append(*list, Difference{Key: child(key, nameOf(b.Index(i))), New: show(key, b.Index(i))})
		}
	}
}

func nameOf(v reflect.Value) string { return v.FieldByName("Name").String() }

func byName(all reflect.Value, name string) (reflect.Value, bool) {
	for i := range all.Len() {
		if nameOf(all.Index(i)) == name {
			return all.Index(i), true
		}
	}
	return reflect.Value{}, false
}

// hasText reports whether a value knows how to be written.
func hasText(v reflect.Value) bool {
	_, ok := v.Interface().(fmt.Stringer)
	return ok
}

// show writes a value for people, those of structs with their keys.
func show(key string, v reflect.Value) string {
	switch {
	case slices.ContainsFunc(secrets(), func(s string) bool { return key == s || strings.HasSuffix(key, "."+s) }):
		if v.Len() == 0 {
			return "none"
		}
		return "a secret"
	case hasText(v):
		return fmt.Sprint(v.Interface())
	case v.Kind() == reflect.Struct:
		return "{" + showFields(key, v) + "}"
	case v.Kind() == reflect.Slice:
		texts := make([]string, v.Len())
		for i := range texts {
			texts[i] = show(key, v.Index(i))
		}
		return "[" + strings.Join(texts, ", ") + "]"
	case v.Kind() == reflect.String && v.Len() == 0:
		return `""`
	}
	return fmt.Sprint(v.Interface())
}

// showFields writes those that are set.
func showFields(key string, v reflect.Value) string {
	var texts []string
	for i := range v.NumField() {
		name := keyOf(v.Type().Field(i).Name)
		if !v.Field(i).IsZero() {
			texts = append(texts, name+": "+show(child(key, name), v.Field(i)))
		}
	}
	return strings.Join(texts, ", ")
}
