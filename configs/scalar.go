package configs

import (
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// scalarValue turns a scalar into a value of type t. Where it does not fit, the
// hint tells what was perhaps meant.
func scalarValue(n *node, t reflect.Type) (value any, hint string, ok bool) {
	if n.kind == nothing || strings.ContainsFunc(n.text, unicode.IsControl) {
		return nil, "", false
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return durationValue(n.text)
	case reflect.TypeFor[Size]():
		size, ok := parseSize(n.text)
		return size, "", ok
	case reflect.TypeFor[netip.Prefix]():
		return prefixValue(n.text)
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolValue(n)
	case reflect.Int:
		return intValue(n)
	case reflect.Float64:
		return floatValue(n)
	default:
		return n.text, textHint(n), n.kind == text || n.kind == untyped
	}
}

// textHint knows that off is a word here and that numbers need quotes.
func textHint(n *node) string {
	switch n.text {
	case "false":
		return "off"
	case "true":
		return "on"
	default:
		return strconv.Quote(n.text)
	}
}

func boolValue(n *node) (any, string, bool) {
	switch strings.ToLower(n.text) {
	case "true":
		return true, "true", n.kind != text && n.text == "true"
	case "false":
		return false, "false", n.kind != text && n.text == "false"
	case "yes", "on":
		return nil, "true", false
	case "no", "off":
		return nil, "false", false
	default:
		return nil, "", false
	}
}

// intValue takes decimal numbers only; YAML knows 0x1f, 0o17 and 1_000 too.
func intValue(n *node) (any, string, bool) {
	value, err := strconv.Atoi(n.text)
	if err != nil || strconv.Itoa(value) != n.text {
		return nil, "", false
	}
	return value, n.text, n.kind != text
}

func floatValue(n *node) (any, string, bool) {
	value, err := strconv.ParseFloat(n.text, 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return nil, "", false
	}
	return value, n.text, n.kind != text
}

func durationValue(s string) (any, string, bool) {
	d, ok := parseDuration(s)
	hint := ""
	if _, err := strconv.ParseUint(s, 10, 31); err == nil {
		hint = s + "s"
	}
	return d, hint, ok
}

func prefixValue(s string) (any, string, bool) {
	prefix, err := parsePrefix(s)
	if err != nil || !prefix.IsValid() {
		return nil, "", false
	}
	if masked := prefix.Masked(); masked != prefix {
		return nil, masked.String(), false
	}
	return prefix, "", true
}

// parsePrefix reads a range or a single address. Mapped IPv4 becomes IPv4,
// because that is how clients are compared. What has a zone is no range.
func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		addr, err := netip.ParseAddr(s)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, err
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err == nil && prefix.Addr().Is4In6() {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix, err
}

const day = 24 * time.Hour

// parseDuration reads Go's units and days, which come first: 180d, 1d12h. Only
// zero needs no unit.
func parseDuration(s string) (time.Duration, bool) {
	days, rest, found := strings.Cut(s, "d")
	if !found {
		d, err := time.ParseDuration(s)
		return d, err == nil && !strings.HasPrefix(s, "+")
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, false
	}
	d := time.Duration(n) * day
	if rest == "" {
		return d, true
	}
	further, err := time.ParseDuration(rest)
	return d + further, err == nil && digit(rest[0]) && further < day
}
