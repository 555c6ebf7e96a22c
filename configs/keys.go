package configs

import (
	"net/netip"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// keyOf returns the key of a Go field: its name in snake case.
func keyOf(field string) string {
	var b strings.Builder
	runes := []rune(field)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && startsWord(runes, i) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// startsWord says whether the upper-case rune at i starts a word: after a
// lower-case one, or as the last of an acronym that a word follows.
func startsWord(runes []rune, i int) bool {
	return unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
}

// field is a key of a section and the type of its value.
type field struct {
	key string
	typ reflect.Type
}

// fieldsOf returns the keys of a section in the order of its Go fields.
func fieldsOf(t reflect.Type) []field {
	fields := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		if key := keyOf(t.Field(i).Name); key != hiddenKey(t) {
			fields = append(fields, field{key, pointed(t.Field(i).Type)})
		}
	}
	return fields
}

// names returns the keys alone.
func names(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// shortKey returns the key that a plain value of a section stands for, or "".
func shortKey(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[CORS](): // cors: off
		return "off"
	case reflect.TypeFor[Allow](): // allow: [track]
		return "preset"
	case reflect.TypeFor[draftBackend](): // backends: ["http://..."]
		return "url"
	default:
		return ""
	}
}

// hiddenKey returns the key of a section that has only its short form, or "".
func hiddenKey(t reflect.Type) string {
	if t == reflect.TypeFor[draftBackend]() {
		return ""
	}
	return shortKey(t)
}

// plain says whether values of t are scalars.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		return t == reflect.TypeFor[netip.Prefix]()
	case reflect.Slice:
		return false
	default:
		return true
	}
}

// fromText says whether the whole of t can be written as one text, as the
// environment does: a scalar, a section with a short form, a list of them.
func fromText(t reflect.Type) bool {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return plain(t) || t.Kind() == reflect.Struct && shortKey(t) != ""
}

func pointed(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

// wantedFor says what a scalar of type t looks like.
func wantedFor(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a duration like 500ms, 5s, 2h or 180d"
	case reflect.TypeFor[Size]():
		return "a size like 512, 8KiB, 1MiB or 10MB"
	case reflect.TypeFor[netip.Prefix]():
		return "an IP address or a range like 10.0.0.0/8"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	default:
		return "text"
	}
}
