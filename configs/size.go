package configs

import (
	"math"
	"strconv"
	"strings"
)

// sizeUnit is what a size may be counted in.
type sizeUnit struct {
	name  string
	bytes Size
}

// sizeUnits returns them, the larger ones first.
func sizeUnits() []sizeUnit {
	return []sizeUnit{{"GiB", GiB}, {"GB", 1e9}, {"MiB", MiB}, {"MB", 1e6}, {"KiB", KiB}, {"kB", 1e3}, {"B", 1}}
}

// String returns the size in the largest unit that needs no fraction.
func (s Size) String() string {
	for _, unit := range sizeUnits() {
		if s >= unit.bytes && s%unit.bytes == 0 {
			return strconv.FormatInt(int64(s/unit.bytes), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// parseSize reads a whole number with or without a unit.
func parseSize(text string) (Size, bool) {
	digits, factor := text, Size(1)
	for _, unit := range sizeUnits() {
		if number, ok := strings.CutSuffix(text, unit.name); ok {
			digits, factor = number, unit.bytes
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || strings.HasPrefix(digits, "+") || n > math.MaxInt64/int64(factor) || n < 0 {
		return 0, false
	}
	return Size(n) * factor, true
}
