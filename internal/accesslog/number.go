package accesslog

import (
	"strconv"
	"time"
)

// stamp formats times and remembers the second it formatted last: at a
// thousand lines a second only the milliseconds differ.
type stamp struct {
	second int64
	text   []byte
}

// append writes t as RFC 3339 in UTC with milliseconds.
func (s *stamp) append(b []byte, t time.Time) []byte {
	if second := t.Unix(); second != s.second || s.text == nil {
		s.second = second
		s.text = t.UTC().AppendFormat(s.text[:0], "2006-01-02T15:04:05")
	}
	b = append(b, s.text...)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b, '.', digit(ms/100), digit(ms/10), digit(ms), 'Z')
}

// appendSeconds writes d in seconds with six decimals. A negative one, which
// a monotonic clock never measures, is shown as nothing.
func appendSeconds(b []byte, d time.Duration) []byte {
	us := max(int64(d/time.Microsecond), 0)
	b = strconv.AppendInt(b, us/1e6, 10)
	us %= 1e6
	return append(b, '.',
		digit(int(us/1e5)), digit(int(us/1e4)), digit(int(us/1e3)),
		digit(int(us/100)), digit(int(us/10)), digit(int(us)))
}

// digit is the last decimal digit of n.
func digit(n int) byte { return '0' + byte(n%10) }
