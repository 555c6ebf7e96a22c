//go:build scenario

package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// disk is a file system of its own, small enough to be filled: a folder.
type disk string

func newDisk(t *testing.T, size int) disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system that is small enough to be filled")
	}
	d := t.TempDir()
	err := syscall.Mount("tmpfs", d, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", size))
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this root is not allowed to mount a file system that is small enough to be filled")
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(d, 0)) })
	return disk(d)
}

func (d disk) file(name string) string { return filepath.Join(string(d), name) }

func (d disk) ballast() string { return d.file("ballast") }

// fill takes the room that is left, but for this much.
func (d disk) fill(t *testing.T, room int) {
	t.Helper()
	const page = 4096
	f, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, page))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	info, err := f.Stat()
	require.NoError(t, err)
	require.NoError(t, f.Truncate(max(0, info.Size()-int64(room))))
}

// clear gives the room back.
func (d disk) clear(t *testing.T) {
	t.Helper()
	require.NoError(t, os.Remove(d.ballast()))
}

// names are those of the files on it, without the ballast.
func (d disk) names(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(string(d))
	require.NoError(t, err)
	for _, e := range entries {
		if d.file(e.Name()) != d.ballast() {
			names = append(names, e.Name())
		}
	}
	return names
}
