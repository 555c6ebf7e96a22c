package reason

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// contract is the table of what the edge answers.
var contract = map[string]int{
	"ok":                    200,
	"malformed":             400,
	"client_not_allowed":    403,
	"origin_not_allowed":    403,
	"not_exposed":           404,
	"method_not_exposed":    405,
	"client_too_slow":       408,
	"body_too_large":        413,
	"target_too_long":       414,
	"expectation_failed":    417,
	"wrong_host":            421,
	"rate_limited":          429,
	"head_too_large":        431,
	"client_closed":         499,
	"backend_error":         500,
	"connect_failed":        502,
	"backend_closed":        502,
	"backend_malformed":     502,
	"no_backend":            503,
	"queue_full":            503,
	"draining":              503,
	"backend_timeout":       504,
	"version_not_supported": 505,
}

func TestWordsAndStatusesAreThoseOfTheContract(t *testing.T) {
	said := make(map[string]int)
	for r := range Count {
		said[r.String()] = r.Status()
	}
	assert.Equal(t, contract, said)
	assert.Len(t, said, int(Count), "no word twice")
}

func TestWordsCanStandInLogsAndLabels(t *testing.T) {
	for r := range Count {
		assert.Regexp(t, regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`), r.String())
	}
}

func TestEveryRefusalHasOneSentenceForTheClient(t *testing.T) {
	assert.Empty(t, OK.Detail())
	for r := OK + 1; r < Count; r++ {
		detail := r.Detail()
		assert.NotEmpty(t, detail, r)
		assert.Equal(t, strings.ToLower(detail[:1]), detail[:1], r)
		assert.NotRegexp(t, `[."\\\n]$|["\\\n]`, detail, "it is put into JSON as it is")
	}
}

func TestNotFoundDoesNotSayWhetherThePathExists(t *testing.T) {
	assert.Equal(t, "not found", NotExposed.Detail())
}

func TestTheZeroReasonIsOK(t *testing.T) {
	var r Reason
	assert.Equal(t, OK, r)
}

func TestANumberThatIsNoReasonHasAName(t *testing.T) {
	assert.Equal(t, "reason(23)", Count.String())
	assert.Equal(t, "reason(255)", Reason(255).String())
}
