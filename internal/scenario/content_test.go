//go:build scenario

package scenario

import (
	"fmt"
	"strings"
)

// eventSize is how long the body of a POST is, in bytes.
const eventSize = 1000

// eventOf is the body that belongs to an id.
func eventOf(id string) string {
	return filled(fmt.Sprintf(`{"id": %q, "fill": "`, id), id, eventSize)
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
