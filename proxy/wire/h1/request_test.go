package h1

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/trackgate/trackgate/proxy/wire"
)

// parsed reads a whole head, as a connection does.
func parsed(text string, lim wire.Limits) (*wire.Request, error) {
	r, buf := new(wire.Request), []byte(text)
	n, err := new(Scanner).Scan(buf, lim)
	if err != nil {
		return r, err
	}
	return r, ParseRequest(buf[:n], r, lim)
}

// written shows a request as rows spell it.
func written(r *wire.Request) string {
	text := fmt.Sprintf("%s %s %s %s %d", r.Method, r.Target, r.Authority, r.Version, r.Length)
	for word, on := range map[string]bool{" close": r.Close, " expects": r.Expects, " upgrade": r.Upgrade} {
		if on {
			text += word
		}
	}
	return text
}

// listed shows fields as rows spell them; those in brackets are gone.
func listed(f *wire.Fields) (lines []string) {
	for _, field := range f.All() {
		line := string(field.Name) + ": " + string(field.Value)
		if field.Gone {
			line = "(" + line + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestRequestsThatAreRead(t *testing.T) {
	for _, row := range []struct{ head, want string }{
		{"GET /track HTTP/1.1\r\nHost: a\r\n", "GET /track a HTTP/1.1 0"},
		{"HEAD / HTTP/1.1\r\nhOST:a:443\r\n", "HEAD / a:443 HTTP/1.1 0"},
		{"get /x HTTP/1.1\r\nHost: a\r\n", "get /x a HTTP/1.1 0"},
		{"M-SEARCH / HTTP/1.1\r\nHost: a\r\n", "M-SEARCH / a HTTP/1.1 0"},
		{"ABCDEFGHIJKLMNOP / HTTP/1.1\r\nHost: a\r\n", "ABCDEFGHIJKLMNOP / a HTTP/1.1 0"},
		{"GET /a?b=/../c%00&d?e;f\"<>\\^`{|} HTTP/1.1\r\nHost: a\r\n", "GET /a?b=/../c%00&d?e;f\"<>\\^`{|} a HTTP/1.1 0"},
		{"GET //x HTTP/1.1\r\nHost: [::1]:8443\r\n", "GET //x [::1]:8443 HTTP/1.1 0"},
		{"OPTIONS * HTTP/1.1\r\nHost: a\r\n", "OPTIONS * a HTTP/1.1 0"},
		{"GET https://A.test:443/x?y HTTP/1.1\r\nHost: a.TEST:443\r\n", "GET /x?y a.TEST:443 HTTP/1.1 0"},
		{"GET HTTP://a/ HTTP/1.1\r\nHost: a\r\n", "GET / a HTTP/1.1 0"},
		{"GET / HTTP/1.0\r\nHost: a\r\n", "GET / a HTTP/1.0 0 close"},
		{"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n", "GET / a HTTP/1.0 0 close"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive, CLOSE\r\n", "GET / a HTTP/1.1 0 close"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: ,,close,\r\n", "GET / a HTTP/1.1 0 close"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n", "GET / a HTTP/1.1 0 close"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n", "GET / a HTTP/1.1 0"},

		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:  \t5\t \r\n", "POST / a HTTP/1.1 5"},
		{"POST / HTTP/1.1\r\nHost: a\r\nCONTENT-LENGTH: 0005\r\n", "POST / a HTTP/1.1 5"},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n", "POST / a HTTP/1.1 0"},
		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n", "POST / a HTTP/1.1 999999999999999999"},
		{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n", "GET / a HTTP/1.1 5"},
		{"POST / HTTP/1.1\r\nHost: a\r\ntRANSFER-eNCODING:\t Chunked \t\r\n", "POST / a HTTP/1.1 -1"},

		{"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n", "POST / a HTTP/1.1 5 expects"},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n", "POST / a HTTP/1.1 -1 expects"},
		{"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n", "POST / a HTTP/1.1 0"},
		{"POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\nExpect: something\r\n", "POST / a HTTP/1.0 5 close"},

		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n", "GET / a HTTP/1.1 0 upgrade"},
		{"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n", "GET / a HTTP/1.1 0"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n", "GET / a HTTP/1.1 0"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n", "GET / a HTTP/1.1 0"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo, websocket\r\n", "GET / a HTTP/1.1 0"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n", "GET / a HTTP/1.1 0"},
		{"GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", "GET / a HTTP/1.0 0 close"},
		{"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", "POST / a HTTP/1.1 0"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n", "GET / a HTTP/1.1 1"},
	} {
		r, err := parsed(row.head+"\r\n", usual)
		if assert.NoError(t, err, "%q", row.head) {
			assert.Equal(t, row.want, written(r), "%q", row.head)
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	long := strings.Repeat("a", 8<<10)
	post := "POST / HTTP/1.1\r\nHost: a\r\n"
	for _, row := range []struct{ head, want string }{
		// Request lines (RFC 9112 section 3).
		{"GET /track\r\n", "malformed"}, {"GET\r\n", "malformed"}, {"GET \r\n", "malformed"}, {" \r\n", "malformed"},
		{" /track HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET  HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET  / HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET /  HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET / HTTP/1.1 \r\nHost: a\r\n", "malformed"},
		{"GET\t/ HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET\v/ HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET / x HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET / HTTP/1.1 X\r\nHost: a\r\n", "malformed"},
		{"G\x00T / HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"G!T / HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"G\xe9T / HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"\x16\x03\x01\x02\x00\r\n", "malformed"},

		// Versions.
		{"GET / HTTP/1.2\r\nHost: a\r\n", "version_not_supported"}, {"GET / HTTP/0.9\r\n", "version_not_supported"},
		{"PRI * HTTP/2.0\r\n", "version_not_supported"}, {"GET / HTTP/3.0\r\nHost: a\r\n", "version_not_supported"},
		{"GET / HTTP/01.1\r\nHost: a\r\n", "malformed"}, {"GET / http/1.1\r\nHost: a\r\n", "malformed"},
		{"GET / HTTP/1.\r\nHost: a\r\n", "malformed"}, {"GET / HTTP/1\r\nHost: a\r\n", "malformed"},
		{"GET / HTTP/1.x\r\nHost: a\r\n", "malformed"}, {"GET / RTSP/1.0\r\nHost: a\r\n", "malformed"},
		{"GET / HTTP/1,1\r\nHost: a\r\n", "malformed"}, {"GET / HTTP/1.10\r\nHost: a\r\n", "malformed"},

		// Targets.
		{"GET /tra\rck HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET /\x00 HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET /\x7f HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET /a#b HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET /\t HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET /" + long + " HTTP/1.1\r\nHost: a\r\n", "target_too_long"},
		{"GET /" + long + long + " HTTP/1.1\r\nHost: a\r\n", "target_too_long"},
		{"GET * HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"OPTIONS *x HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET track HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET ../track HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET ?x HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET @a/x HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n", "malformed"}, {"GET a:443 HTTP/1.1\r\nHost: a:443\r\n", "malformed"},
		{"GET https://b/x HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET https://a:22/x HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET https://u@a/x HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET https://a HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET https://a?/x HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET https:/a/x HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET https:///x HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET ftp://a/x HTTP/1.1\r\nHost: a\r\n", "malformed"},
		{"GET https:// HTTP/1.1\r\nHost: a\r\n", "malformed"}, {"GET https://a\\/x HTTP/1.1\r\nHost: a\r\n", "malformed"},

		// Host (RFC 9110 section 7.2).
		{"GET / HTTP/1.1\r\n", "malformed"}, {"GET / HTTP/1.0\r\n", "malformed"}, {"GET / HTTP/1.1\r\nX-Host: a\r\n", "malformed"},
		{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "malformed"}, {"GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n", "malformed"},
		{"GET / HTTP/1.1\r\nHost:\r\n", "malformed"}, {"GET / HTTP/1.1\r\nHost: a, b\r\n", "malformed"},
		{"GET https://a/ HTTP/1.1\r\n", "malformed"},

		// The length of the body (RFC 9112 section 6).
		{post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "malformed"},
		{post + "Transfer-Encoding: chunked\r\nContent-Length: x\r\n", "malformed"},
		{post + "Content-Length: 5\r\nContent-Length: 5\r\n", "malformed"},
		{post + "Content-Length: 0\r\ncontent-length: 6\r\n", "malformed"},
		{post + "Content-Length: 5, 5\r\n", "malformed"}, {post + "Content-Length: 5,\r\n", "malformed"},
		{post + "Content-Length: +5\r\n", "malformed"}, {post + "Content-Length: -5\r\n", "malformed"},
		{post + "Content-Length: 0x5\r\n", "malformed"}, {post + "Content-Length: 5 0\r\n", "malformed"},
		{post + "Content-Length:\r\n", "malformed"}, {post + "Content-Length: 5a\r\n", "malformed"},
		{post + "Content-Length: 5\v\r\n", "malformed"}, {post + "Content-Length: 18446744073709551621\r\n", "malformed"},
		{post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "malformed"},
		{post + "Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n", "malformed"},
		{post + "Transfer-Encoding:\r\n", "malformed"}, {post + "Transfer-Encoding: identity\r\n", "malformed"},
		{post + "Transfer-Encoding: gzip, chunked\r\n", "malformed"}, {post + "Transfer-Encoding: chunked, identity\r\n", "malformed"},
		{post + "Transfer-Encoding: ,chunked\r\n", "malformed"}, {post + "Transfer-Encoding: chunked,\r\n", "malformed"},
		{post + "Transfer-Encoding: \"chunked\"\r\n", "malformed"}, {post + "Transfer-Encoding: chunkedx\r\n", "malformed"},
		{post + "Transfer-Encoding: chun\tked\r\n", "malformed"}, {post + "Transfer-Encoding: chunked;a=b\r\n", "malformed"},
		{"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", "malformed"},

		// Expectations and options.
		{post + "Content-Length: 5\r\nExpect: y 100-continue\r\n", "expectation_failed"},
		{post + "Expect: 100-continue, foo\r\n", "expectation_failed"}, {post + "Expect:\r\n", "expectation_failed"},
		{post + "Expect: 100-continue\r\nExpect: 100-continue\r\n", "expectation_failed"},
		{post + "Expect: 100-continue;x=1\r\n", "expectation_failed"},
		{post + "Connection: " + strings.Repeat("a,", 513) + "\r\n", "malformed"},
		{post + strings.Repeat("Connection: "+strings.Repeat("a,", 200)+"\r\n", 3), "malformed"},
		{post + "X: " + strings.Repeat(long, 4) + "\r\n", "head_too_large"},
		{post + strings.Repeat("X: y\r\n", 100), "head_too_large"},
	} {
		_, err := parsed(row.head+"\r\n", usual)
		assert.Equal(t, row.want, reasonOf(err), "%q", row.head)
	}
}

func TestFieldsOfARequest(t *testing.T) {
	for _, row := range []struct{ line, want string }{
		{"X-A: b", "x-a: b"}, {"X-A:b", "x-a: b"}, {"X-A: \t b\tc \t", "x-a: b\tc"}, {"X-A:", "x-a: "}, {"X-A: \t", "x-a: "},
		{"X-A::b:c", "x-a: :b:c"}, {"1: 2", "1: 2"}, {"X-A: caf\xc3\xa9", "x-a: caf\xc3\xa9"},
		{"X.Forwarded.For: 1", "(x.forwarded.for: 1)"}, {"A!#$%&'*+^`|~Z: 1", "(a!#$%&'*+^`|~z: 1)"},
		{"X_Real_IP: 1", "malformed"}, {"_: x", "malformed"}, {"Content_Length: 0", "malformed"}, {"X.A_b: 0", "malformed"},
		{"X-A: caf\xe9", "malformed"}, {"X-A: \xc0\xaf", "malformed"}, {"X-A: \xed\xa0\x80", "malformed"},
		{": b", "malformed"}, {"X-A", "malformed"}, {"X.A", "malformed"}, {"X-A : b", "malformed"}, {"X-A\t: b", "malformed"},
		{" X-A: b", "malformed"}, {"\tX-A: b", "malformed"}, {"X A: b", "malformed"}, {"X\x00A: b", "malformed"},
		{"X\xc3\xa9: b", "malformed"}, {"X(A): b", "malformed"}, {"X-A: a\rb", "malformed"}, {"X-A: \x00", "malformed"},
		{"X-A: \x7f", "malformed"}, {"X-A: \x1b[0m", "malformed"}, {"X-A: a\x0bb", "malformed"}, {"X-A: b\r", "malformed"},
		{"X-A: one\r\n two", "malformed"}, {"X-A:\r\n two", "malformed"}, {"X-A\r\n : b", "malformed"},
	} {
		r, err := parsed("GET / HTTP/1.1\r\nHost: a\r\n"+row.line+"\r\n\r\n", usual)
		if got := reasonOf(err); got != "" {
			assert.Equal(t, row.want, got, "%q", row.line)
			continue
		}
		assert.Equal(t, []string{"host: a", row.want}, listed(&r.Fields), "%q", row.line)
	}
}

func TestAsManyFieldsAsTheLimit(t *testing.T) {
	r, err := parsed("GET / HTTP/1.1\r\nHost: a\r\n"+strings.Repeat("X: y\r\n", 99)+"\r\n", usual)
	assert.NoError(t, err)
	assert.Equal(t, 100, r.Fields.Len())
	r, err = parsed("GET /"+strings.Repeat("a", 8191)+" HTTP/1.1\r\nHost: a\r\n\r\n", usual)
	assert.NoError(t, err)
	assert.Len(t, r.Target, 8192)
}
