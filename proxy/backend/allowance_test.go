package backend

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

func keepAlive(values ...string) *wire.Fields {
	f := &wire.Fields{}
	for _, v := range values {
		f.Add(wire.KeepAlive, []byte("keep-alive"), []byte(v))
	}
	return f
}

func TestOnlyAnAllowanceThatIsCertainCounts(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"timeout=5":                         5 * time.Second,
		"timeout=1":                         time.Second,
		"timeout=5, max=1000":               5 * time.Second,
		"max=1000 ,\ttimeout=75":            75 * time.Second,
		"TimeOut=5":                         5 * time.Second,
		"timeout=005":                       5 * time.Second,
		"timeout=999999999":                 999999999 * time.Second,
		"":                                  0,
		"timeout":                           0,
		"timeout=":                          0,
		"timeout=0":                         0,
		"timeout=-1":                        0,
		"timeout=+1":                        0,
		"timeout=1.5":                       0,
		"timeout=\"5\"":                     0,
		"timeout=5s":                        0,
		"timeout = 5":                       0,
		"timeout=1000000000":                0,
		"timeout=18446744073709551617":      0,
		"timeout=5, timeout=5":              0,
		"timeout=5, timeout=x":              0,
		"timeouts=5":                        0,
		"x-timeout=5":                       0,
		"max=5":                             0,
		"timeout=5;max=7":                   0,
		strings.Repeat(",", 100):            0,
		strings.Repeat("x,", 9) + "timeout": 0,
	} {
		assert.Equal(t, want, allowance(keepAlive(value)), "%q", value)
	}
	assert.Zero(t, allowance(keepAlive()), "no field")
	assert.Zero(t, allowance(keepAlive("timeout=5", "timeout=5")), "two fields")
}

func FuzzAllowance(f *testing.F) {
	for _, seed := range []string{"timeout=5", "timeout=5, max=1000", "max=9,timeout=0", "timeout=5,timeout=6", "timeout=99999999999"} {
		f.Add(seed)
	}
	// What may be said, by another grammar.
	certain := regexp.MustCompile(`^(?i:timeout)=([0-9]{1,9})$`)
	f.Fuzz(func(t *testing.T, value string) {
		got := allowance(keepAlive(value))
		var want []time.Duration
		for _, param := range strings.Split(value, ",") {
			param = strings.Trim(param, " \t")
			if m := certain.FindStringSubmatch(param); m != nil {
				n, _ := strconv.Atoi(m[1])
				want = append(want, time.Duration(n)*time.Second)
			} else if name, _, _ := strings.Cut(param, "="); strings.EqualFold(name, "timeout") {
				want = append(want, 0)
			}
		}
		if len(want) == 1 {
			assert.Equal(t, want[0], got)
		} else {
			assert.Zero(t, got)
		}
	})
}
