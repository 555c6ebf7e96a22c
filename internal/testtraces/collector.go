// Package testtraces is a collector of traces for tests: it takes spans by OTLP over HTTP,
// refuses what is none, and keeps the others.
package testtraces

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Answer says what becomes of post number n, from 1 on, that was taken; nil is all fine.
type Answer func(w http.ResponseWriter, n int)

// Collector is one that runs until the test ends.
type Collector struct {
	*httptest.Server
	answer Answer

	mu    sync.Mutex
	posts []Post
}

// Post is what somebody has sent.
type Post struct {
	*http.Request
	Data *tracepb.TracesData
}

// Start starts a collector.
func Start(t testing.TB, answer Answer) *Collector {
	t.Helper()
	c := &Collector{answer: answer}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// StartTLS starts one with a certificate of its own.
func StartTLS(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	c.Server = httptest.NewTLSServer(c)
	t.Cleanup(c.Close)
	return c
}

// ServeHTTP takes a post.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	data := &tracepb.TracesData{}
	if err == nil {
		err = proto.Unmarshal(body, data)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.posts = append(c.posts, Post{r, data})
	n := len(c.posts)
	c.mu.Unlock()
	if c.answer != nil {
		c.answer(w, n)
	}
}

// Posts returns what has come so far.
func (c *Collector) Posts() []Post {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Post(nil), c.posts...)
}

// Spans returns those of all posts.
func (c *Collector) Spans() (all []*tracepb.Span) {
	for _, p := range c.Posts() {
		for _, of := range p.Data.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}
	return all
}
