package main

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/trackgate/trackgate/configs"
)

// watchInterval is how often the file of the settings is looked at. A change counts when
// it was the same twice, as files are not always written at once.
const watchInterval = time.Second

// print tells one content of a file from another; the zero value is a file that cannot
// be read.
type print [sha256.Size]byte

func printOf(text []byte) print { return sha256.Sum256(text) }

// printAt is that of what a file of settings has now.
func printAt(path string) print {
	text, err := configs.Read(path)
	if err != nil {
		return print{}
	}
	return printOf(text)
}

// watched is a file that was read once.
type watched struct {
	path      string
	used, was print
}

func newWatched(path string) *watched {
	now := printAt(path)
	return &watched{path: path, used: now, was: now}
}

// changed looks again, and reports whether there is something new that is whole.
func (w *watched) changed() bool {
	now := printAt(w.path)
	settled := now == w.was
	w.was = now
	if !settled || now == w.used || now == (print{}) {
		return false
	}
	w.used = now
	return true
}

// reloadOnChange loads the settings again when their file has changed, while the settings
// want that, until ctx ends. Kubernetes replaces the folder of a ConfigMap by a link: it
// is the content that counts.
func (s *server) reloadOnChange(ctx context.Context) {
	if s.file == "" {
		return
	}
	file := newWatched(s.file)
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if s.due(file) {
			s.reload(ctx, 0) //nolint:errcheck // the log tells
		}
	}
}

// due reports whether the file has to be loaded. What is on trial is not loaded beside that,
// whether it is kept or not; what was written after it is, when the trial is over.
func (s *server) due(file *watched) bool {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.onTrial != nil {
		file.used = s.onTrial.file
		return false
	}
	return s.settings().Admin.Watch && file.changed()
}
