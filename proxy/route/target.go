package route

import "bytes"

// spelling says how far the path of a target can be trusted to mean one thing.
// The order matters: a path is as good as its worst segment.
type spelling uint8

const (
	confusing spelling = iota // programs disagree on what it names
	odd                       // one meaning, but not the plain spelling of it
	plain                     // unreserved letters, no empty and no dotted segment
)

// read splits a target in origin-form into path and query with its "?". It is
// not ok if a byte is none that a target can have. That is also checked where
// requests are parsed; here it makes the promise of this package its own.
func read(target []byte) (path, query []byte, ok bool) {
	if len(target) == 0 || target[0] != '/' {
		return nil, nil, false
	}
	for _, c := range target {
		if c <= ' ' || c >= 0x7f || c == '#' {
			return nil, nil, false
		}
	}
	if at := bytes.IndexByte(target, '?'); at >= 0 {
		return target[:at:at], target[at:], true
	}
	return target, nil, true
}

// spell judges a path, which starts with a slash. Its last segment may be
// empty.
func spell(path []byte) spelling {
	worst := plain
	rest, more := path[1:], true
	for more {
		var segment []byte
		segment, rest, more = cut(rest)
		if len(segment) == 0 && more {
			worst = min(worst, odd)
		}
		worst = min(worst, spellSegment(segment))
	}
	return worst
}

// cut returns the first segment of a path without its leading slash, what
// follows, and whether anything does.
func cut(path []byte) (segment, rest []byte, more bool) {
	at := bytes.IndexByte(path, '/')
	if at < 0 {
		return path, nil, false
	}
	return path[:at], path[at+1:], true
}

// spellSegment judges one segment. "%2e" counts as the dot it hides.
func spellSegment(segment []byte) spelling {
	worst, dots, letters := plain, 0, 0
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c == '%' {
			worst = odd
			c = unescape(segment[i:])
			i += 2
		}
		switch {
		case hides(c):
			return confusing
		case c == '.':
			dots++
		default:
			letters++
			worst = min(worst, spellByte(c))
		}
	}
	return min(worst, spellDots(dots, letters))
}

// hides says whether c moves the borders of segments for some reader, or is a
// control byte. Slashes are cut off before, so one here was escaped.
func hides(c byte) bool { return c == '/' || c == '\\' || c < ' ' || c == 0x7f }

// spellByte judges one byte of a name: plain if unreserved (RFC 3986, section
// 2.3).
func spellByte(c byte) spelling {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '~', c == '-':
		return plain
	}
	return odd
}

// spellDots judges a segment by its dots. One and two alone are dot segments
// (RFC 3986, section 3.3); more of them alone are a name some systems climb
// with.
func spellDots(dots, letters int) spelling {
	switch {
	case letters > 0 || dots == 0:
		return plain
	case dots <= 2:
		return confusing
	}
	return odd
}

// unescape returns the byte behind a percent sign, or 0, which hides
// something, if it is not followed by two digits.
func unescape(s []byte) byte {
	if len(s) < 3 {
		return 0
	}
	high, low := unhex(s[1]), unhex(s[2])
	if high > 15 || low > 15 {
		return 0
	}
	return high<<4 | low
}

// unhex is the value of a hexadecimal digit, or 16.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
