//go:build scenario

package scenario

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// eventSize is how long the body of a POST usually is, in bytes.
const eventSize = 1000

// eventOf is the body that belongs to an id, of at least size bytes; 0 is as usual.
func eventOf(id string, size int) string {
	if size == 0 {
		size = eventSize
	}
	return filled(fmt.Sprintf(`{"id": %q, "fill": "`, id), id, size)
}

// answerOf is what a backend says to an id, of at least size bytes.
func answerOf(id, backend string, size int) string {
	return filled(fmt.Sprintf(`{"id": %q, "backend": %q, "fill": "`, id, backend), id, size)
}

// filled repeats the id until a text is long enough. So each part of a content
// tells whose it is.
func filled(text, id string, size int) string {
	times := max(0, size-len(text)-len(`"}`)) / len(id)
	return text + strings.Repeat(id, times) + `"}`
}

// part is how long a text that is said slowly is silent between its parts.
const part = 100 * time.Millisecond

// slowly says a text in so long a time, all at once in none.
func slowly(text string, lasts time.Duration) io.Reader {
	if lasts == 0 {
		return strings.NewReader(text)
	}
	return &speech{rest: text, each: len(text)/int(lasts/part+1) + 1}
}

// speech is a text that is said in parts.
type speech struct {
	rest string
	each int // bytes of a part
}

func (s *speech) Read(p []byte) (n int, err error) {
	if s.rest == "" {
		return 0, io.EOF
	}
	pause(part)
	n = copy(p[:min(len(p), s.each)], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
