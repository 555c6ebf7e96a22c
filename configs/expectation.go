package configs

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Test is one entry of tests: what is to become of a request by these settings. This
// package only reads it; whoever has the request path holds it against it.
type Test struct {
	Method       string
	URL          string // whole, or a path where Listener is set
	From         netip.Addr
	Expect       string // Allowed, or why it is refused
	Pool         string // "" is any
	Listener     string // "" is the one that the URL leads to
	SNI          string // "" is the URL's host
	Origin       string // of the page that asks; "" is none
	ForwardedFor []string

	places map[string]place // of its keys
	key    string           // like tests[0]
}

// Allowed is what a Test expects that is not refused.
const Allowed = "allowed"

// Expectations returns what a Test can expect: Allowed, and the reasons that the
// settings and the head of a request decide about alone.
func Expectations() []string {
	return []string{Allowed, "client_not_allowed", "head_too_large", "malformed", "method_not_exposed", "not_exposed",
		"origin_not_allowed", "target_too_long", "wrong_host"}
}

// String says it in words.
func (t Test) String() string {
	text := t.Method + " " + t.URL + " from " + t.From.String() + ": " + t.Expect
	for _, part := range [][2]string{{"pool", t.Pool}, {"listener", t.Listener}, {"sni", t.SNI}, {"origin", t.Origin},
		{"forwarded_for", strings.Join(t.ForwardedFor, ", ")}} {
		if part[1] != "" {
			text += ", " + part[0] + " " + part[1]
		}
	}
	return text
}

// Failed is the mistake of a Test that does not hold, at one of its keys (request,
// expect or pool). wanted is what came instead.
func (t Test) Failed(key, wanted string) Mistake {
	values := map[string]string{"request": t.Method + " " + t.URL, "expect": t.Expect, "pool": t.Pool}
	at := t.places[key]
	return Mistake{at.file, at.line, at.column, child(t.key, key), strconv.Quote(values[key]), wanted, ""}
}

type draftTest struct {
	Request      string
	From         string
	Expect       string
	Pool         string
	Listener     string
	SNI          string
	Origin       string
	ForwardedFor []string
}

// tests checks what is expected, as far as that needs no request path.
func (c compiler) tests(drafts []draftTest, s *Settings) []Test {
	var tests []Test
	for i, d := range drafts {
		tests = append(tests, c.test(index("tests", i), d, s))
	}
	return tests
}

func (c compiler) test(key string, d draftTest, s *Settings) Test {
	t := Test{
		Expect: d.Expect, Pool: d.Pool, Listener: d.Listener, SNI: d.SNI, Origin: d.Origin, ForwardedFor: some(d.ForwardedFor),
		key: key, places: map[string]place{},
	}
	for _, name := range []string{"request", "expect", "pool"} {
		if n := c.nodes[child(key, name)]; n != nil {
			t.places[name] = n.place
		}
	}
	t.Method, t.URL = c.request(key+".request", d)
	t.From = c.sender(key+".from", d.From)
	oneOf(c, key+".expect", d.Expect, Expectations()...)
	c.poolOfTest(key+".pool", d, s.Pools)
	c.listenerOfTest(key, d, s.Listeners)
	return t
}

// request cuts METHOD URL. Whether it can be read is for the request path to say.
func (c compiler) request(key string, d draftTest) (method, url string) {
	method, url, _ = strings.Cut(d.Request, " ")
	whole := strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://")
	switch {
	case method == "", !whole && !strings.HasPrefix(url, "/"):
		c.wrong(key, "a method and a URL like POST https://track.example.com/track", "")
	case !whole && d.Listener == "":
		c.wrong(key, "a whole URL like https://track.example.com"+short(url)+", or `listener` besides", "")
	}
	return method, url
}

func (c compiler) sender(key, text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		c.wrong(key, "the IP address that the request comes from", "")
	}
	return addr.Unmap()
}

func (c compiler) poolOfTest(key string, d draftTest, pools []Pool) {
	names := make([]string, len(pools))
	for i := range pools {
		names[i] = pools[i].Name
	}
	switch {
	case d.Pool == "", len(pools) == 0: // of none there is a mistake already
	case d.Expect != Allowed:
		c.wrong(key, "nothing where a refusal is expected: no pool gets it", "")
	case !slices.Contains(names, d.Pool):
		c.wrong(key, "the name of a pool", nearest(d.Pool, names))
	}
}

func (c compiler) listenerOfTest(key string, d draftTest, listeners []Listener) {
	names := make([]string, len(listeners))
	for i := range listeners {
		names[i] = listeners[i].Name
	}
	switch {
	case d.Listener == "", len(listeners) == 0:
	case !slices.Contains(names, d.Listener):
		c.wrong(key+".listener", "the name of a listener", nearest(d.Listener, names))
	case d.SNI != "":
		c.wrong(key+".sni", "nothing beside `listener`, which it would choose", "")
	}
}

// placeless returns tests that know no more where they are written.
func placeless(tests []Test) []Test {
	tests = slices.Clone(tests)
	for i := range tests {
		tests[i].places = nil
	}
	return tests
}
