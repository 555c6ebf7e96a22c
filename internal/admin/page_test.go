package admin

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePageRunsNothingButItsOwnScript(t *testing.T) {
	w := ask(NewHandler(Options{}), "GET", "/", "127.0.0.1")
	require.Equal(t, 200, w.Code)
	assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Equal(t, "default-src 'none'; script-src "+hashOfPart(t, w.Body.String(), "script")+"; style-src "+hashOfPart(t, w.Body.String(), "style")+
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", w.Header().Get("Content-Security-Policy"))
}

// hashOfPart reads an element as a browser does.
func hashOfPart(t *testing.T, page, name string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(page, "<"+name+">"))
	_, rest, _ := strings.Cut(page, "<"+name+">")
	part, _, found := strings.Cut(rest, "</"+name+">")
	require.True(t, found)
	sum := sha256.Sum256([]byte(part))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	h := NewHandler(Options{Ready: func() error { return nil }, Pages: map[string]func() any{"/status": func() any { return nil }}})
	for _, path := range []string{"/", "/status", "/livez", "/readyz", "/none"} {
		header := ask(h, "GET", path, "localhost").Header()
		assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		assert.Equal(t, "no-referrer", header.Get("Referrer-Policy"), path)
		assert.Equal(t, "same-origin", header.Get("Cross-Origin-Resource-Policy"), path)
		assert.Equal(t, "no-store", header.Get("Cache-Control"), path)
	}
}

func TestThePageIsOnTheSocket(t *testing.T) {
	assert.Equal(t, 200, ask(NewSocketHandler(Options{}, nil), "GET", "/", "anything").Code)
	assert.Equal(t, 421, ask(NewHandler(Options{}), "GET", "/", "rebound.example").Code)
}

// What clients have sent may only ever be text, and nothing comes from elsewhere.
func TestThePagesPartsAreHarmless(t *testing.T) {
	parsed := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc|eval\(|Function\(|setTimeout\("`)
	assert.Empty(t, parsed.FindAllString(pageScript, -1))
	outside := regexp.MustCompile(`(?:https?:)?//[a-z][^\s"']*|@import|url\(`)
	assert.Equal(t, []string{"http://www.w3.org/2000/svg"}, outside.FindAllString(pageFrame+pageStyle+pageScript, -1), "a name, not a place")
	assert.NotRegexp(t, `\s(on[a-z]+|style)=`, pageFrame, "the policy would not let it")
}
