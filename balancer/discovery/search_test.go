package discovery

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

var verdicts = map[string]verdict{"found": found, "absent": absent, "empty": empty, "unknown": unknown}

func TestSearch(t *testing.T) {
	for _, row := range []struct {
		name, winner, verdicts string // of be.a., be.b., be.
		won, tried, err        string
	}{
		{"the first that is found wins", "", "found found found", "be.a.", "be.a.", ""},
		{"past what does not exist", "", "absent found found", "be.b.", "be.a. be.b.", ""},
		{"past what has no records", "", "empty absent found", "be.", "be.a. be.b. be.", ""},
		{"doubt ends it", "", "unknown found found", "", "be.a.", "be.a. unknown"},
		{"doubt after others ends it", "", "absent unknown found", "", "be.a. be.b.", "be.a. absent; be.b. unknown"},
		{"after doubt the winner may win again", "be.", "unknown found found", "be.", "be.a. be.", "be.a. unknown"},
		{"after doubt about the winner nobody may", "be.a.", "unknown found found", "", "be.a.", "be.a. unknown"},
		{"a winner without records is no reason to go on", "be.a.", "empty found found", "", "be.a.", "be.a. empty"},
		{"a winner that does not exist is", "be.a.", "absent found found", "be.b.", "be.a. be.b.", ""},
		{"one that comes before the winner wins", "be.", "absent found found", "be.b.", "be.a. be.b.", ""},
		{"nothing at all", "", "absent empty absent", "", "be.a. be.b. be.", "be.a. absent; be.b. empty; be. absent"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := settings{domains: []string{"a", "b"}, ndots: 1}
			outcomes := strings.Fields(row.verdicts)
			var tried []string
			won, err := s.search("be", row.winner, func(fqdn string) (verdict, error) {
				tried = append(tried, fqdn)
				word := outcomes[map[string]int{"be.a.": 0, "be.b.": 1, "be.": 2}[fqdn]]
				if verdicts[word] == found {
					return found, nil
				}
				return verdicts[word], errors.New(fqdn + " " + word)
			})
			assert.Equal(t, row.won, won)
			assert.Equal(t, row.tried, strings.Join(tried, " "))
			if row.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, row.err)
			}
		})
	}
}

func TestNamesThatAreNone(t *testing.T) {
	for _, name := range []string{"", ".", "a..b", strings.Repeat("a", 64), strings.Repeat("abc.", 64)} {
		won, err := settings{ndots: 1}.search(name, "", func(string) (verdict, error) { return found, nil })
		assert.Empty(t, won, name)
		assert.ErrorContains(t, err, "is not a name that DNS could know")
	}
}
