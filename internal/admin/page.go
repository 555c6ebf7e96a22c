package admin

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// The parts of the status page. It needs nothing from elsewhere, and is told nothing but
// what is at /status and /recent.
var (
	//go:embed page/page.html
	pageFrame string
	//go:embed page/page.css
	pageStyle string
	//go:embed page/page.js
	pageScript string
)

// statusPage answers with the page for people. What it shows was in part sent by strangers,
// so the browser is told to run this script, to use this style, and to ask nobody but us.
func statusPage() http.HandlerFunc {
	text := strings.NewReplacer("/*page.css*/", pageStyle, "/*page.js*/", pageScript).Replace(pageFrame)
	policy := strings.Join([]string{
		"default-src 'none'", "script-src " + hashOf(pageScript), "style-src " + hashOf(pageStyle),
		"connect-src 'self'", "img-src data:", // the icon, which is empty
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cache-Control", "no-store")
		guard(w.Header())
		_, _ = io.WriteString(w, text) // the client is gone; nobody is left to tell
	}
}

// hashOf is how a policy names what stands in the page.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// guard tells browsers to take an answer for what it says it is, to give it to no page of
// another origin, and to tell nobody where they come from.
func guard(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
