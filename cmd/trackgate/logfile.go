package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/DeRuina/timberjack"

	"github.com/trackgate/trackgate/configs"
)

// logFile is the access log in a file. It is written here, always at its end, and never
// in two pieces; a library puts it aside: it finds a name that is free, keeps mode and
// owner, removes and compresses. The library does not write, as its files are opened to
// be written at an offset of their own: the lines of a second process, such as the next
// trackgate while this one drains, would be overwritten.
//
// Nothing is synced: what the kernel has not written yet is lost with the machine.
type logFile struct {
	name    string
	rotate  configs.Rotate
	trouble func(error)        // told when the file cannot be put aside
	aside   *timberjack.Logger // nil: others may move the file, and then call Reopen

	file  atomic.Pointer[os.File] // so that Close can end a Write that hangs
	mu    sync.Mutex
	born  time.Time
	again time.Time // no sooner is it tried again to put the file aside
}

// asidePause is how long nobody tries again to put a file aside.
const asidePause = time.Minute

// openLogFile opens or creates a file.
func openLogFile(name string, rotate configs.Rotate, trouble func(error)) (*logFile, error) {
	f := &logFile{name: name, rotate: rotate, trouble: trouble}
	if rotate.On() {
		f.aside = &timberjack.Logger{Filename: name, MaxBackups: rotate.Keep, Compression: "none"}
		if rotate.Compress {
			f.aside.Compression = "gzip"
		}
	}
	if err := f.open(); err != nil {
		return nil, err
	}
	endTorn(f.file.Load())
	return f, nil
}

// open begins to write to what has the name now. After an error all is as it was.
func (f *logFile) open() error {
	file, err := os.OpenFile(f.name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("log.access.output: %w", err)
	}
	if old := f.file.Swap(file); old != nil {
		old.Close()
	}
	f.born = birth(file)
	return nil
}

// Reopen begins to write to what has the name now: logrotate has moved the file, or
// somebody has removed it. What was written before is in the old one. What is no file is
// kept: to open a pipe anew, or to wait for a write to it, may take for ever.
func (f *logFile) Reopen() error {
	info, err := f.file.Load().Stat()
	if err == nil && !info.Mode().IsRegular() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open()
}

// Write appends whole lines. A line feed alone, with which the log ends a torn line,
// belongs to what was written before it.
func (f *logFile) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.aside != nil && len(p) > 1 {
		f.turn(int64(len(p)), time.Now())
	}
	return f.file.Load().Write(p)
}

// turn puts the file aside if it is due, and follows another process that has done so.
// If that fails the file is written on.
func (f *logFile) turn(more int64, now time.Time) {
	if now.Before(f.again) {
		return
	}
	free, ok := lockFolder(f.name)
	if !ok {
		return // another process is at it: next time
	}
	defer free()
	size, err := f.follow()
	if why := f.due(size, more, now); err == nil && why != "" {
		err = f.putAside(why)
	}
	if err != nil {
		f.again = now.Add(asidePause)
		f.trouble(err)
	}
}

// follow makes sure that the file is the one with its name, and returns its size.
func (f *logFile) follow() (int64, error) {
	named, err := os.Stat(f.name)
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	open, err := f.file.Load().Stat()
	if err == nil && named != nil && os.SameFile(named, open) {
		return open.Size(), nil
	}
	if err := f.open(); err != nil {
		return 0, err
	}
	open, err = f.file.Load().Stat()
	if err != nil {
		return 0, err
	}
	return open.Size(), nil
}

// due returns why the file is to be put aside before more is written, or "". An empty
// one is as good as new, and so is one that was made while the clock was ahead: it would
// not grow old for as long as that.
func (f *logFile) due(size, more int64, now time.Time) string {
	if size == 0 || now.Before(f.born) {
		f.born = now
	}
	switch {
	case size > 0 && f.rotate.Size > 0 && size+more > int64(f.rotate.Size):
		return "size"
	case f.rotate.Age > 0 && now.Sub(f.born) >= f.rotate.Age:
		return "age"
	}
	return ""
}

func (f *logFile) putAside(why string) error {
	if err := f.aside.RotateWithReason(why); err != nil {
		return err
	}
	return f.open()
}

// Close waits a while for what was put aside to be compressed. What is not done by then
// is done after the next file. A Write that hangs, as on a pipe that nobody reads, ends.
func (f *logFile) Close() error {
	if f.aside != nil {
		closed := make(chan struct{})
		go func() {
			f.aside.Close()
			close(closed)
		}()
		select {
		case <-closed:
		case <-time.After(lastWords):
		}
	}
	return f.file.Load().Close()
}
