package backend

import (
	"bytes"
	"time"

	"github.com/trackgate/trackgate/proxy/wire"
)

// maxTimeoutDigits is more than any timeout has, and little enough not to
// overflow.
const maxTimeoutDigits = 9

// allowance returns for how long an answer says that the connection may be
// unused, or 0 when it does not say so with certainty. There may be one
// Keep-Alive with one timeout, in whole seconds and at least one (RFC 2068
// section 19.7.1.1).
func allowance(f *wire.Fields) (allowed time.Duration) {
	value, ok := f.Once(wire.KeepAlive)
	if !ok {
		return 0
	}
	for more := true; more; {
		var param []byte
		param, value, more = bytes.Cut(value, []byte(","))
		name, digits, _ := bytes.Cut(bytes.Trim(param, " \t"), []byte("="))
		if !bytes.EqualFold(name, []byte("timeout")) {
			continue
		}
		if allowed != 0 {
			return 0
		}
		if allowed = seconds(digits); allowed == 0 {
			return 0
		}
	}
	return allowed
}

// seconds reads a number of seconds; 0 is what is none.
func seconds(digits []byte) time.Duration {
	if len(digits) == 0 || len(digits) > maxTimeoutDigits {
		return 0
	}
	n := 0
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0
		}
		n = n*10 + int(d-'0')
	}
	return time.Duration(n) * time.Second
}
