package h2

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask says a request without a body, and returns what is heard until the end.
func ask(t *testing.T, config *Config, fields ...string) string {
	c := dial(t, config, told).greet()
	c.say(raw(frameHeaders, flagEndHeaders|flagEndStream, 1, fieldBlock(fields...)))
	c.Conn.(interface{ CloseWrite() error }).CloseWrite()
	return c.rest()
}

const malformedAnswer = "1 400. | 1 reset PROTOCOL_ERROR"

func TestHeadsAreReadAsHTTP1WouldSayThem(t *testing.T) {
	m, s, a, p := []string{":method", "GET"}, []string{":scheme", "https"}, []string{":authority", "a"}, []string{":path", "/"}
	for _, row := range []struct {
		fields [][]string
		want   string // the head as told, or "" if it is malformed
	}{
		{[][]string{m, s, a, p}, "GET / a 0"},
		{[][]string{p, a, s, m}, "GET / a 0"},
		{[][]string{s, a, p}, ""},
		{[][]string{m, a, p}, ""},
		{[][]string{m, s, p}, ""},
		{[][]string{m, s, a}, ""},
		{[][]string{{"x-a", "b"}}, ""},
		{nil, ""},
		{[][]string{m, m, s, a, p}, ""},
		{[][]string{m, s, s, a, p}, ""},
		{[][]string{m, s, a, a, p}, ""},
		{[][]string{m, s, a, p, p}, ""},
		{[][]string{m, s, a, {"x-a", "b"}, p}, ""},
		{[][]string{m, s, a, p, {"x-a", "b"}, {":x", "y"}}, ""},
		{[][]string{m, s, a, p, {":x", "y"}}, ""},
		{[][]string{m, s, a, p, {":status", "200"}}, ""},
		{[][]string{m, s, a, p, {":", ""}}, ""},
		{[][]string{m, s, a, p, {":Path", "/"}}, ""},
		{[][]string{m, s, a, p, {":path ", "/"}}, ""},
		{[][]string{m, s, a, p, {":protocol", "websocket"}}, ""},
		{[][]string{m, s, a, p, {"x-a", "b"}, {"x-a", "c"}, {"x-empty", ""}}, "GET / a 0 x-a=b x-a=c x-empty="},

		{[][]string{m, s, p, {"host", "b"}}, "GET / b 0 host=b"},
		{[][]string{m, s, a, p, {"host", "A"}}, "GET / a 0 host=A"},
		{[][]string{m, s, a, p, {"host", "b"}}, ""},
		{[][]string{m, s, a, p, {"host", "a:443"}}, ""},
		{[][]string{m, s, a, p, {"host", "a"}, {"host", "a"}}, ""},
		{[][]string{m, s, a, p, {"host", ""}}, ""},
		{[][]string{m, s, p, {"host", "a"}, {"host", "b"}}, ""},
		{[][]string{m, s, {":authority", ""}, p}, ""},
		{[][]string{m, s, {":authority", ""}, p, {"host", "a"}}, ""},

		{[][]string{m, s, a, p, {"cookie", "a=1"}}, "GET / a 0 cookie=a=1"},
		{[][]string{m, s, a, p, {"cookie", "a=1"}, {"x-a", "b"}, {"cookie", "b=2"}, {"cookie", "c=3"}}, "GET / a 0 cookie=a=1; b=2; c=3 x-a=b"},
		{[][]string{m, s, a, p, {"te", "trailers"}}, "GET / a 0 te=trailers"},
		{[][]string{m, s, a, p, {"te", "Trailers"}}, ""},
		{[][]string{m, s, a, p, {"te", "trailers, gzip"}}, ""},
		{[][]string{m, s, a, p, {"te", ""}}, ""},
		{[][]string{m, s, a, p, {"connection", "close"}}, ""},
		{[][]string{m, s, a, p, {"connection", ""}}, ""},
		{[][]string{m, s, a, p, {"keep-alive", "timeout=5"}}, ""},
		{[][]string{m, s, a, p, {"proxy-connection", "x"}}, ""},
		{[][]string{m, s, a, p, {"transfer-encoding", "chunked"}}, ""},
		{[][]string{m, s, a, p, {"upgrade", "h2c"}}, ""},
		{[][]string{m, s, a, p, {"x.odd", "b"}, {"x-a", "c"}}, "GET / a 0 x-a=c"},
	} {
		var fields []string
		for _, field := range row.fields {
			fields = append(fields, field...)
		}
		want := malformedAnswer
		if row.want != "" {
			want = "1 200 x-said=" + row.want + "."
		}
		require.Equal(t, want, ask(t, patient(), fields...), "%q", row.fields)
	}
}

func TestMethodsTargetsSchemesAndHosts(t *testing.T) {
	is := map[bool]string{true: "1 200", false: "1 400"}
	for _, row := range []struct {
		at   int // which of the pseudo-fields
		good bool
		text []string
	}{
		{1, true, []string{"GET", "POST", "get", "OPTIONS", "M-SEARCH", strings.Repeat("A", 16)}},
		{1, false, []string{"", "GET ", "G T", "GET\x00", "GET /a HTTP/1.1\r\n", "G:T", "G_T", "G/T", strings.Repeat("A", 17), "\xc3\xa9"}},
		{3, true, []string{"https", "http"}},
		{3, false, []string{"", "HTTPS", "ftp", "https ", "https\r\nx: y", "https://a"}},
		{5, true, []string{"a", "A.b-c", "a:443", "[::1]", "[::1]:8443", "127.0.0.1:1"}},
		{5, false, []string{"a ", "user@a", "a/b", "a,b", "a_b", "a\x00", "a\r\nx: y", "[::1", "[a]", "a:", ":443", "a:65536", "a?b", "a#b", "\xe9"}},
		{7, true, []string{"/", "/a?b=c&d", "//a", "/%zz", "/\"<>\\^`{|}~", "/*", "/?"}},
		{7, false, []string{"", "a", "?a", "/a#b", "/a b", "/a\tb", "/a\x7f", "/a\x00", "/a\rb", "/a\nb", "/ HTTP/1.1\r\nx: y", "/\xc3\xa9",
			"https://a/", "*", "/a\x80"}},
	} {
		for _, text := range row.text {
			fields := []string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/"}
			fields[row.at] = text
			require.Equal(t, is[row.good], ask(t, patient(), fields...)[:5], "%s %q", fields[row.at-1], text)
		}
	}
	assert.Equal(t, "1 200 x-said=OPTIONS * a 0.", ask(t, patient(), ":method", "OPTIONS", ":scheme", "https", ":authority", "a", ":path", "*"))
}

// No byte may be anywhere that could be taken for the end of something in HTTP/1.1.
func TestBytesThatMayNotBeInFields(t *testing.T) {
	c := dial(t, patient(), told)
	for b := range 0x100 {
		if b%16 == 0 { // as mistakes cost, each connection has few
			c.end()
			c = dial(t, patient(), told).greet()
		}
		id, at := uint32(b*8+1), string([]byte{byte(b)})
		name := strings.Contains("abcdefghijklmnopqrstuvwxyz0123456789-!#$%&'*+.^`|~", at)
		value := b == '\t' || b >= ' ' && b != 0x7f && b < 0x80
		for i, row := range []struct {
			good   bool
			fields []string
		}{
			{name, []string{"x" + at + "a", "b"}},
			{value, []string{"x-a", "b" + at + "c"}},
			{value && b != '\t' && b != ' ', []string{"x-a", at + "c"}},
			{value && b != '\t' && b != ' ', []string{"x-a", "b" + at}},
		} {
			id := id + uint32(2*i)
			want := fmt.Sprintf("%d 400. | %d reset PROTOCOL_ERROR", id, id)
			if row.good {
				want = fmt.Sprintf("%d 200 x-said=GET / a 0", id)
			}
			c.say(get(id, row.fields...))
			got := c.next()
			if !row.good {
				got += " | " + c.next()
			}
			require.True(t, strings.HasPrefix(got, want), "%q: %s", row.fields, got)
		}
	}
}

func TestTextBeyondASCIIMustBeUTF8(t *testing.T) {
	fields := []string{":method", "GET", ":scheme", "https", ":authority", "a", ":path", "/", "x-a", ""}
	for text, want := range map[string]string{
		"caf\xc3\xa9": "1 200 x-said=GET / a 0 x-a=caf\xc3\xa9.", "caf\xe9": malformedAnswer, "\xc0\xaf": malformedAnswer,
		"\xed\xa0\x80": malformedAnswer, "\xf0\x9f\x98\x80": "1 200 x-said=GET / a 0 x-a=\xf0\x9f\x98\x80.",
	} {
		fields[9] = text
		require.Equal(t, want, ask(t, patient(), fields...))
	}
	fields[8] = ""
	require.Equal(t, malformedAnswer, ask(t, patient(), fields...), "a name of nothing")
}

func TestHeadsOverTheLimits(t *testing.T) {
	zeros := func(n int) []string { return []string{"x-a", strings.Repeat("0", n)} }
	fields := strings.Split(strings.Repeat("x-a,b,", 101), ",")
	for name, talk := range map[string]talk{
		"large, but not too large":      {inTwo(1, flagEndStream, plain("GET", "/", zeros(30<<10)...)) + ping(pingText), "pong 12345678 | 1 200."},
		"too large":                     {inTwo(1, flagEndStream, plain("GET", "/", zeros(33<<10)...)), "1 431."},
		"too large, of many":            {inTwo(1, flagEndStream, plain("GET", "/", slices.Repeat(zeros(400), 80)...)), "1 431."},
		"too large and malformed":       {inTwo(1, flagEndStream, plain("GET", "/", append(zeros(33<<10), "X", "y")...)), "1 431."},
		"as many as there may be":       {get(1, fields[:200]...), "1 200."},
		"more than there may be":        {get(1, fields[:202]...), "1 431."},
		"crumbs are fields":             {get(1, slices.Repeat([]string{"cookie", ""}, 101)...), "1 431."},
		"a target as long as it may be": {raw(frameHeaders, 5, 1, plain("GET", "/"+letters(8<<10-1))), "1 200."},
		"a longer one":                  {raw(frameHeaders, 5, 1, plain("GET", "/"+letters(8<<10))), "1 414."},
	} {
		t.Run(name, talk.holds)
	}
}

func TestContentLengthIsTheLengthOfTheData(t *testing.T) {
	for name, talk := range map[string]talk{
		"all of it":                     {post(1, "content-length", "5") + last(1, "hello"), "1 200 | 1 \"hello\"."},
		"all of it, in parts":           {post(1, "content-length", "5") + part(1, "he") + part(1, "llo") + last(1, ""), "1 200 | 1 \"hello\"."},
		"all of it, and trailers":       {post(1, "content-length", "5") + part(1, "hello") + trailers(1, "x-sum", "1"), "1 200 | 1 \"hello\" | 1 x-sum=1."},
		"all of it, padded":             {post(1, "content-length", "5") + raw(frameData, 9, 1, "\x05hello\x00\x00\x00\x00\x00"), "1 200 | 1 \"hello\"."},
		"nothing of nothing":            {post(1, "content-length", "0") + last(1, ""), "1 200."},
		"nothing, at once":              {get(1, "content-length", "0"), "1 200."},
		"too little":                    {post(1, "content-length", "6") + last(1, "hello"), malformedAnswer},
		"too little, before trailers":   {post(1, "content-length", "6") + part(1, "hello") + trailers(1, "x-sum", "1"), malformedAnswer},
		"nothing of something":          {post(1, "content-length", "5") + last(1, ""), malformedAnswer},
		"no body at all":                {get(1, "content-length", "5"), malformedAnswer},
		"no body but trailers":          {post(1, "content-length", "5") + trailers(1), malformedAnswer},
		"too much":                      {post(1, "content-length", "4") + last(1, "hello"), malformedAnswer},
		"too much of nothing":           {post(1, "content-length", "0") + part(1, "x"), malformedAnswer},
		"too much, later":               {post(1, "content-length", "5") + part(1, "hello") + part(1, "x"), malformedAnswer},
		"padding is no data":            {post(1, "content-length", "5") + raw(frameData, 9, 1, "\x01hell\x00"), malformedAnswer},
		"no number":                     {post(1, "content-length", ""), malformedAnswer},
		"a number with a sign":          {post(1, "content-length", "+5"), malformedAnswer},
		"a number with more":            {post(1, "content-length", "5, 5"), malformedAnswer},
		"a hexadecimal one":             {post(1, "content-length", "0x5"), malformedAnswer},
		"one that fits nowhere":         {post(1, "content-length", "9999999999999999999"), malformedAnswer},
		"twice":                         {post(1, "content-length", "5", "content-length", "5") + last(1, "hello"), malformedAnswer},
		"over the limit":                {post(1, "content-length", "1048577"), "1 413. | 1 reset NO_ERROR"},
		"in the trailers":               {post(1) + part(1, "hello") + trailers(1, "content-length", "5"), "1 200 | 1 \"hello\"."},
		"of a body that is not held":    {post(1, "content-length", "70000") + part(1, letters(14000)) + last(1, "x"), malformedAnswer},
		"of what is expected":           {post(1, "content-length", "5", "expect", "100-continue"), "1 100", last(1, "hello"), "1 200 | 1 \"hello\"."},
		"of what need not be asked for": {post(1, "content-length", "5", "expect", "100-continue") + last(1, "hello"), "1 200 | 1 \"hello\"."},
	} {
		t.Run(name, talk.holds)
	}
}

// inTwo is a field block in two frames.
func inTwo(stream uint32, flags uint8, fields string) string {
	return raw(frameHeaders, flags, stream, fields[:maxFrame]) + raw(frameContinuation, flagEndHeaders, stream, fields[maxFrame:])
}

func TestTrailersArePassedOnIfTheyMeanNothing(t *testing.T) {
	large := fieldBlock("x-a", strings.Repeat("0", 33<<10)) // which is less in the Huffman code
	body := post(1) + part(1, "x")
	for name, talk := range map[string]talk{
		"plain ones":           {body + trailers(1, "x-sum", "1", "x-b", ""), "1 200 | 1 \"x\" | 1 x-sum=1 x-b=."},
		"none":                 {body + trailers(1), "1 200 | 1 \"x\"."},
		"those with a meaning": {body + trailers(1, "host", "b", "authorization", "x", "x-forwarded-for", "10.0.0.1", "cookie", "a=b"), "1 200 | 1 \"x\"."},
		"odd names":            {body + trailers(1, "x.a", "1", "x-a", "2"), "1 200 | 1 \"x\" | 1 x-a=2."},
		"no text":              {body + trailers(1, "x-a", "\xe9"), "1 200 | 1 \"x\"."},
		"a pseudo-field":       {body + trailers(1, ":path", "/"), malformedAnswer},
		"an upper-case name":   {body + trailers(1, "X-Sum", "1"), malformedAnswer},
		"an underscore":        {body + trailers(1, "x_sum", "1"), malformedAnswer},
		"a line's end":         {body + trailers(1, "x-sum", "1\r\nx: y"), malformedAnswer},
		"a NUL":                {body + trailers(1, "x-sum", "\x00"), malformedAnswer},
		"of the connection":    {body + trailers(1, "transfer-encoding", "chunked"), malformedAnswer},
		"that depend on themselves": {body + raw(frameHeaders, 0x25, 1, "\x00\x00\x00\x01\x10"+fieldBlock("x-sum", "1")),
			malformedAnswer},
		"too many":  {body + trailers(1, strings.Split(strings.Repeat("x-a,b,", 101), ",")[:202]...), malformedAnswer},
		"too large": {body + inTwo(1, flagEndStream, large), malformedAnswer},
	} {
		t.Run(name, talk.holds)
	}
}
