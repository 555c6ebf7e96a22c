package tlsconf

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"
)

// folders are the folders of some files, watched. Folders rather than files, for
// files are replaced, and a Kubernetes Secret changes by a symlink beside them.
type folders struct {
	paths   []string
	watcher *fsnotify.Watcher // nil: only the poll is left
}

// foldersOf watches the folders of these files; "" is none. With an error only the
// poll is left for some.
func foldersOf(files ...string) (*folders, error) {
	w := &folders{}
	for _, file := range files {
		if file != "" {
			w.paths = append(w.paths, filepath.Dir(file))
		}
	}
	slices.Sort(w.paths)
	w.paths = slices.Compact(w.paths)
	if len(w.paths) == 0 {
		return w, nil
	}
	var err error
	if w.watcher, err = fsnotify.NewWatcher(); err != nil {
		return w, err
	}
	return w, w.renew()
}

// renew watches folders again that were removed and came back; for the others it
// changes nothing.
func (w *folders) renew() error {
	if w.watcher == nil {
		return nil
	}
	var errs []error
	for _, path := range w.paths {
		errs = append(errs, w.watcher.Add(path))
	}
	return errors.Join(errs...)
}

func (w *folders) changed() <-chan fsnotify.Event {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Events
}

// lost tells of events that went missing, as when a queue ran over.
func (w *folders) lost() <-chan error {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Errors
}

func (w *folders) close() {
	if w.watcher != nil {
		w.watcher.Close()
	}
}
