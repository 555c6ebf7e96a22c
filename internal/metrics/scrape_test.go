package metrics

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func get(s http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w
}

func TestAFifthScrapeAtOnceIsRefused(t *testing.T) {
	s := New(Build{})
	entered, release := make(chan struct{}, 4), make(chan struct{})
	s.AccessLogDropped(func() uint64 {
		entered <- struct{}{}
		<-release
		return 0
	})
	h := s.Handler()
	var scrapes sync.WaitGroup
	for range 4 {
		scrapes.Go(func() { assert.Equal(t, http.StatusOK, get(h).Code) })
	}
	for range 4 {
		<-entered
	}
	assert.Equal(t, http.StatusServiceUnavailable, get(h).Code)
	close(release)
	scrapes.Wait()
	assert.Equal(t, http.StatusOK, get(h).Code)
}

func TestAScrapeThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, release := New(Build{}), make(chan struct{})
		s.AccessLogDropped(func() uint64 { <-release; return 0 })
		began := time.Now()

		assert.Equal(t, http.StatusServiceUnavailable, get(s.Handler()).Code)

		assert.Equal(t, 10*time.Second, time.Since(began))
		close(release)
	})
}
