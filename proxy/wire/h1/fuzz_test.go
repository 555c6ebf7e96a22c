package h1

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/proxy/wire"
)

// verdictOf is what became of a text, as the slow readers say it.
func verdictOf(err error) string {
	switch err {
	case nil:
		return accepted
	case wire.ErrShort:
		return short
	}
	return rejected
}

var requestSeeds = []string{
	smallHead, browserHead, get("/track"), post("/track?a=b", "hello"), chunkedPost("hello", 2, "X-Sum: 1"),
	"OPTIONS * HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", "GET https://A/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET http://[::1]/ HTTP/1.0\r\nhOST:[::1]\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n\r\n", "GET / HTTP/1.1\n\n",
	get("/ws", "Connection: keep-alive, Upgrade", "Upgrade: websocket"), post("/", "hello", "Expect: 100-continue"),
	get("/", "X_A: b"), get("/", "X.A: \t caf\xc3\xa9 \t", "X-B: \xe9"), get("/", "X-A : b"), get("/", "X-A: one\r\n two"),
	post("/", "", "Content-Length: 0"), post("/", "", "Transfer-Encoding: chunked"), get("/", "Transfer-Encoding: gzip, chunked"),
	get("/", "Content-Length: +5"), get("/", "Content-Length: 1, 1"), get("/", "Host: b"), get("/", "X: a\rb"), get("/\x00"),
}

// FuzzRequestHead compares with the slow reader. What both accept, net/http must
// accept too, with the same meaning.
func FuzzRequestHead(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add(seed)
	}
	lim := wire.Limits{Head: 600, Target: 60, Fields: 6}
	f.Fuzz(func(t *testing.T, text string) {
		for _, lim := range []wire.Limits{usual, lim} {
			want, verdict := slowRequest(text, lim)
			r, err := parsed(text, lim)
			require.Equal(t, verdict, verdictOf(err), "%v", err)
			if err != nil {
				continue
			}
			line := []string{string(r.Method), string(r.Target), string(r.Authority), r.Version.String()}
			require.Equal(t, want, slowMessage{line, listed(&r.Fields), r.Length, r.Close, r.Expects, r.Upgrade})
			agreesWithTheLibrary(t, text, r)
		}
	})
}

// agreesWithTheLibrary reads an accepted head with net/http. It does not take a
// target with a "%" that encodes nothing, or a Trailer field that names what no
// trailer may be.
func agreesWithTheLibrary(t *testing.T, text string, r *wire.Request) {
	if _, err := url.ParseRequestURI(string(r.Target)); err != nil || r.Fields.Has(wire.Trailer) {
		return
	}
	head, _, _ := strings.Cut(text, "\r\n\r\n")
	body := "7\r\nbody of\r\n0\r\n\r\n"
	if r.Length >= 0 {
		body = strings.Repeat("x", int(min(r.Length, 1000)))
	}
	in := bufio.NewReader(strings.NewReader(head + "\r\n\r\n" + body + "GET /next"))
	req, err := http.ReadRequest(in)
	if err != nil && strings.Contains(string(r.Authority), "[") {
		return // literals that net/url does not take in an absolute target
	}
	require.NoError(t, err)
	require.Equal(t, string(r.Method), req.Method)
	require.True(t, strings.EqualFold(string(r.Authority), req.Host), "%q %q", r.Authority, req.Host)
	require.Equal(t, r.Length == wire.Unknown, len(req.TransferEncoding) == 1)
	require.Equal(t, r.Length, req.ContentLength)
	if r.Version == wire.HTTP11 {
		require.Equal(t, r.Close, req.Close)
	}
	sameFields(t, &r.Fields, req.Header)
	if r.Length > 1000 {
		return
	}
	got, err := io.ReadAll(req.Body)
	require.NoError(t, err)
	if r.Length >= 0 {
		require.Len(t, got, int(r.Length))
	}
	rest, _ := io.ReadAll(in)
	require.Equal(t, "GET /next", string(rest))
}

// sameFields compares the fields that the library leaves where they are.
func sameFields(t *testing.T, f *wire.Fields, header http.Header) {
	values := map[string][]string{}
	for _, field := range f.All() {
		switch field.ID {
		case wire.Host, wire.TransferEncoding, wire.Trailer, wire.ContentLength:
			continue
		}
		name := textproto.CanonicalMIMEHeaderKey(string(field.Name))
		values[name] = append(values[name], string(field.Value))
	}
	for name := range values {
		require.Equal(t, values[name], header[name], name)
	}
}

// FuzzResponseHead compares with the slow reader and net/http, as FuzzRequestHead.
func FuzzResponseHead(f *testing.F) {
	for _, seed := range []string{
		answerHead, "HTTP/1.1 200\r\n\r\n", "HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 304 X\r\nContent-Length: 9\r\n\r\n",
		"HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 caf\xe9\r\nX_A: \xe9\r\nContent-Length: 05\r\n\r\n",
		"HTTP/1.1 99 X\r\n\r\n", "HTTP/1.1 200OK\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n", "HTTP/1.1 200 OK\n\n",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, isHead bool) {
		method := map[bool]string{true: "HEAD", false: "GET"}[isHead]
		want, verdict := slowResponse(text, method)
		r, err := answered(text, method)
		require.Equal(t, verdict, verdictOf(err), "%v", err)
		if err != nil {
			return
		}
		line := []string{r.Version.String(), strconv.Itoa(r.Status), string(r.Reason)}
		if r.Chunked {
			line = append(line, "chunked")
		}
		require.Equal(t, want, slowMessage{Line: line, Fields: listed(&r.Fields), Length: r.Length, Close: r.Close})
		if r.Fields.Has(wire.Trailer) {
			return
		}
		res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), &http.Request{Method: method})
		require.NoError(t, err)
		require.Equal(t, r.Status, res.StatusCode)
		if wire.HasBody(r.Status, []byte(method)) {
			require.Equal(t, r.Length, res.ContentLength)
			require.Equal(t, r.Chunked, len(res.TransferEncoding) == 1)
		}
		sameFields(t, &r.Fields, res.Header)
	})
}

// FuzzChunks compares with the slow reader, with another way to split the input
// and, for what is accepted, with the library.
func FuzzChunks(f *testing.F) {
	for _, seed := range []string{
		"0\r\n\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nrest", "A;a=\"b\\\"c\";d\r\n0123456789\r\n0;x\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n",
		"7fffffffffffffff\r\nhello", "8000000000000000", "\r", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", "0\r\nX_A: 1\r\nX-B: \xe9\r\n\r\n",
		"0\r\n\rX\r\n\r\n", "0\r\nX: a\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "5\r\nhello0\r\n\r\n", "000000000000000001\r\n",
		strings.Repeat("1;"+strings.Repeat("a", 200)+"\r\nx\r\n", 30) + "0\r\n\r\n", strings.Repeat("1\r\nx\r\n", 100) + "0\r\n\r\n",
	} {
		f.Add(seed, 3, 11)
	}
	f.Fuzz(func(t *testing.T, coded string, a, b int) {
		var slow slowChunks
		wantRest, verdict := slow.read(coded)
		for _, ends := range [][]int{nil, splits(len(coded), a, b), every(len(coded))} {
			var c Chunks
			data, rest, err := unchunked(&c, coded, ends...)
			require.Equal(t, verdict, verdictOf(err), "%v, split at %d", err, ends)
			if err == nil {
				require.Equal(t, slow.data, data)
				require.Equal(t, wantRest, rest)
				require.Equal(t, slow.trailers, listed(c.Trailers()))
			}
		}
		if verdict == accepted {
			data, err := io.ReadAll(httputil.NewChunkedReader(strings.NewReader(coded)))
			require.NoError(t, err)
			require.Equal(t, slow.data, string(data))
		}
	})
}

// splits returns two places in a text of n bytes, in order.
func splits(n, a, b int) []int {
	a, b = int(uint(a)%uint(n+1)), int(uint(b)%uint(n+1))
	return []int{min(a, b), max(a, b)}
}

// every returns all the places in a text of n bytes, if they are not too many.
func every(n int) (ends []int) {
	for i := range min(n, 5000) {
		ends = append(ends, i)
	}
	return ends
}

// FuzzHost compares with a regular expression, and with net/url: what is accepted
// is a host there.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"a", "EDGE.test:443", "[::1]:8443", "[::ffff:1.2.3.4]", "[fe80::1%25eth0]", "a:", ":80", "a:65536", "a:00001",
		"[::1", "user@a", "a,b", "a_b", "1.2.3.4", "[1::2::3]", strings.Repeat("a", 256)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		ok := wire.ValidHost([]byte(host))
		require.Equal(t, slowHost(host), ok)
		if !ok {
			return
		}
		u, err := url.Parse("https://" + host + "/")
		require.NoError(t, err)
		require.Equal(t, host, u.Host)
		name, port, _ := wire.SplitHost([]byte(host))
		require.Equal(t, u.Port(), string(port))
		require.Equal(t, u.Hostname(), strings.Trim(string(name), "[]"))
	})
}

// FuzzScannerSplit wants the same however the bytes come.
func FuzzScannerSplit(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add(seed, 5, 20, 300, 50)
		f.Add(seed, 1, 2, 40, 1000)
	}
	f.Fuzz(func(t *testing.T, text string, a, b, head, target int) {
		lim := wire.Limits{Head: int(uint(head) % 2000), Target: int(uint(target) % 2000)}
		n, err := scanned(text, lim)
		for _, ends := range [][]int{splits(len(text), a, b), every(len(text))} {
			n2, err2 := scanned(text, lim, ends...)
			require.Equal(t, reasonOf(err), reasonOf(err2), "split at %d", ends)
			if err == nil {
				require.Equal(t, n, n2)
			}
		}
	})
}

// pieces is a connection whose bytes come in pieces that end at given places.
type pieces struct {
	net.Conn // nil: what is not overridden is not used
	text     string
	ends     []int
	at       int
}

func (p *pieces) Read(b []byte) (int, error) {
	for len(p.ends) > 0 && p.ends[0] <= p.at {
		p.ends = p.ends[1:]
	}
	end := len(p.text)
	if len(p.ends) > 0 {
		end = p.ends[0]
	}
	if p.at == len(p.text) {
		return 0, io.EOF
	}
	n := copy(b, p.text[p.at:end])
	p.at += n
	return n, nil
}

func (p *pieces) Write(b []byte) (int, error)      { return len(b), nil }
func (p *pieces) SetReadDeadline(time.Time) error  { return nil }
func (p *pieces) SetWriteDeadline(time.Time) error { return nil }

// understood is what a connection makes of a text: every request with its body,
// and how it ended.
func understood(text string, ends []int, hold int) string {
	var c ServerConn
	c.Init(&pieces{text: text, ends: ends}, &Config{Limits: wire.Limits{Head: 20 << 10, Target: 200, Fields: 10, Body: 100 << 10},
		Head: time.Hour, Body: time.Hour, Write: time.Hour})
	defer c.Release()
	var said bytes.Buffer
	for {
		if err := c.Await(time.Now().Add(time.Hour)); err != nil {
			return said.String()
		}
		r, err := c.ReadHead(time.Now())
		if err != nil {
			return said.String() + reasonOf(err)
		}
		fmt.Fprintf(&said, "%s %q: ", written(r), listed(&r.Fields))
		body, whole, err := c.Hold(hold)
		body = bytes.Clone(body)
		if err == nil && !whole {
			var rest []byte
			rest, err = io.ReadAll(&c)
			body = append(body, rest...)
		}
		if err != nil {
			return said.String() + "a bad body" // which of two faults is met first may differ
		}
		fmt.Fprintf(&said, "%q %q\n", body, listed(c.Trailers()))
		c.Start(200)
		c.Frame(0)
		if c.Finish(nil, nil) != nil || !c.Next() {
			return said.String()
		}
	}
}

// FuzzServerConn wants the same requests with the same bodies, however the bytes
// come and whatever part of a body is held.
func FuzzServerConn(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add(seed+get("/next"), 5, 20, 300)
		f.Add("\r\n"+seed+seed, 1, 2, 3)
	}
	large := get("/", "X: "+strings.Repeat("x", 17<<10)) + post("/", letters(40000)) + chunkedPost(letters(40000), 999, "X: y")
	f.Add(large, 1, 100, wire.MaxHold)
	f.Add("\r\n\nGET", 1, 2, 0)
	f.Fuzz(func(t *testing.T, text string, a, b, hold int) {
		want := understood(text, nil, wire.MaxHold)
		hold = int(uint(hold) % (wire.MaxHold + 1))
		for _, ends := range [][]int{nil, splits(len(text), a, b), every(len(text))} {
			require.Equal(t, want, understood(text, ends, hold), "split at %.10v", ends)
		}
	})
}
