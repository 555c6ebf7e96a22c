package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goodTally is the one of testdata/h2load.txt.
func goodTally() tally {
	return tally{tls: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", protocol: "h2", body: 40 * answerBytes,
		requests: requestTally{total: 40, started: 40, done: 40, succeeded: 40}, statuses: statusTally{ok: 40}}
}

func TestTallyIsReadFromWhatH2loadSays(t *testing.T) {
	got, err := parseTally(fileText(t, filepath.Join("testdata", "h2load.txt")))

	require.NoError(t, err)
	assert.Equal(t, goodTally(), got)
	assert.NoError(t, got.judge(40))
}

func TestTallyOfARunThatNobodyAnsweredIsAMistake(t *testing.T) {
	_, err := parseTally(fileText(t, filepath.Join("testdata", "h2load-nobody.txt")))

	assert.ErrorContains(t, err, "tally: 0 lines instead of one fit (?m)^TLS Protocol: ")
}

func TestTallyRefusesWhatIsNotExactlyTheLines(t *testing.T) {
	good := fileText(t, filepath.Join("testdata", "h2load.txt"))
	for _, row := range []struct{ name, old, new, fails string }{
		{"no line of requests", "requests: 40 total", "request: 40 total", "0 lines instead of one fit (?m)^requests: "},
		{"two lines of statuses", "status codes: ", "status codes: 40 2xx, 0 3xx, 0 4xx, 0 5xx\nstatus codes: ", "2 lines instead of one fit (?m)^status codes: "},
		{"a new kind of failure", "0 timeout", "0 timeout, 3 lost", "0 lines instead of one fit (?m)^requests: "},
		{"a number below zero", "0 failed", "-1 failed", "0 lines instead of one fit (?m)^requests: "},
		{"a number that no int holds", "(10320) data", "(99999999999999999999) data", "value out of range"},
		{"no bytes", "(10320) data", "data", "0 lines instead of one fit (?m)^traffic: "},
		{"two protocols", "Application protocol: h2", "Application protocol: h2\nApplication protocol: h2", "2 lines instead of one fit (?m)^Application"},
		{"no cipher suite", "Cipher: ", "Cipher:", "0 lines instead of one fit (?m)^Cipher: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(good, row.old))

			got, err := parseTally(strings.Replace(good, row.old, row.new, 1))

			assert.ErrorContains(t, err, row.fails)
			assert.Zero(t, got)
		})
	}
}

func TestTallyIsJudgedByEveryRequest(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(*tally)
		fails string
	}{
		{"fewer than were asked for", func(l *tally) { l.requests.total = 39 }, "of 40 requests: {total:39 "},
		{"one never started", func(l *tally) { l.requests.started = 39 }, "started:39 "},
		{"one not done", func(l *tally) { l.requests.done = 39 }, "done:39 "},
		{"one without success", func(l *tally) { l.requests.succeeded = 39 }, "succeeded:39 "},
		{"one failed", func(l *tally) { l.requests.failed = 1 }, "failed:1 "},
		{"one errored", func(l *tally) { l.requests.errored = 1 }, "errored:1 "},
		{"one too late", func(l *tally) { l.requests.late = 1 }, "late:1}"},
		{"a redirect", func(l *tally) { l.statuses = statusTally{ok: 39, moved: 1} }, "answers to 40 requests: {ok:39 moved:1 refused:0 broken:0}"},
		{"a status too few", func(l *tally) { l.statuses.ok = 39 }, "answers to 40 requests: {ok:39 moved:0 refused:0 broken:0}"},
		{"a byte too few", func(l *tally) { l.body-- }, "answers to 40 requests: 10319 bytes, wanted 10320"},
		{"HTTP/1.1", func(l *tally) { l.protocol = "http/1.1" }, "spoke http/1.1 over TLSv1.3 with TLS_AES_128_GCM_SHA256"},
		{"TLS 1.2", func(l *tally) { l.tls = "TLSv1.2" }, "spoke h2 over TLSv1.2 with TLS_AES_128_GCM_SHA256"},
		{"another cipher suite", func(l *tally) { l.cipher = "TLS_AES_256_GCM_SHA384" }, "spoke h2 over TLSv1.3 with TLS_AES_256_GCM_SHA384"},
	} {
		t.Run(row.name, func(t *testing.T) {
			spoilt := goodTally()
			row.spoil(&spoilt)

			assert.ErrorContains(t, spoilt.judge(40), row.fails)
		})
	}
}

// tell writes a tally as h2load does.
func (t tally) tell() string {
	r, s := t.requests, t.statuses
	return fmt.Sprintf("TLS Protocol: %s\nCipher: %s\nApplication protocol: %s\n", t.tls, t.cipher, t.protocol) +
		fmt.Sprintf("requests: %d total, %d started, %d done, %d succeeded, %d failed, %d errored, %d timeout\n",
			r.total, r.started, r.done, r.succeeded, r.failed, r.errored, r.late) +
		fmt.Sprintf("status codes: %d 2xx, %d 3xx, %d 4xx, %d 5xx\n", s.ok, s.moved, s.refused, s.broken) +
		fmt.Sprintf("traffic: 1B (1) total, 1B (1) headers (space savings 0.00%%), 1B (%d) data\n", t.body)
}

// FuzzTally: a text gives nothing or what can be told again, and lines that mean nothing
// to us change nothing.
func FuzzTally(f *testing.F) {
	f.Add(fileText(f, filepath.Join("testdata", "h2load.txt")))
	f.Add(fileText(f, filepath.Join("testdata", "h2load-nobody.txt")))
	f.Add(goodTally().tell())
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTally(text)
		if err != nil {
			require.Zero(t, got)
			return
		}
		for _, same := range []string{got.tell(), "progress: 10% done\n" + text + "\nprogress: 100% done\n"} {
			again, err := parseTally(same)
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
	})
}
