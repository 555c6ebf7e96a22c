package main

import (
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockFolder keeps other processes from putting a file aside while this one does: the
// one that makes the new file empties it, and must find nothing of the other in it. ok
// is false while another has it. Where folders cannot be locked, nobody waits.
func lockFolder(file string) (free func(), ok bool) {
	folder, err := os.Open(filepath.Dir(file))
	if err != nil {
		return func() {}, true
	}
	if unix.Flock(int(folder.Fd()), unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK {
		folder.Close()
		return nil, false
	}
	return func() { folder.Close() }, true
}

// endTorn ends the last line of a file, if a program that was killed or a disk that was
// full has left it without an end: it must not spoil the next one.
func endTorn(file *os.File) {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return
	}
	reader, err := os.Open(file.Name())
	if err != nil {
		return // it may be ours to write and not to read
	}
	defer reader.Close()
	last := make([]byte, 1)
	if _, err := reader.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
		file.Write([]byte{'\n'}) //nolint:errcheck // what cannot be written now is told with the next line
	}
}

// birth returns when a file was made, so that its age survives a restart; now, where the
// file system does not know.
func birth(file *os.File) time.Time {
	var about unix.Statx_t
	raw, err := file.SyscallConn() // Fd would make the file one whose writes Close cannot end
	if err != nil {
		return time.Now()
	}
	known := false
	err = raw.Control(func(fd uintptr) {
		failed := unix.Statx(int(fd), "", unix.AT_EMPTY_PATH, unix.STATX_BTIME, &about)
		known = failed == nil && about.Mask&unix.STATX_BTIME != 0
	})
	if err != nil || !known {
		return time.Now()
	}
	return time.Unix(about.Btime.Sec, int64(about.Btime.Nsec))
}
