package standin

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMemoryIsBounded(t *testing.T) {
	m := memory{seen: make(map[string]int), most: 2}
	m.accept([]string{"a", "b", "c", "a"})
	assert.Equal(t, map[string]int{"a": 2, "b": 1}, m.seen)

	var s Server
	endless := httptest.NewRequest("POST", "/track", io.MultiReader(strings.NewReader("{"), zeros{}))
	assert.Len(t, s.receive(endless), bodyMost)
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestABodyCutShortIsNoEvent(t *testing.T) {
	var s Server
	broken := httptest.NewRequest("POST", "/track", io.MultiReader(strings.NewReader(`{"source":{}}`), torn{}))
	assert.Empty(t, s.receive(broken))
}

// torn is where a connection broke off.
type torn struct{}

func (torn) Read([]byte) (int, error) { return 0, errors.New("connection reset") }
