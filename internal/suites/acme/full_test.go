//go:build suites

package acme

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const pageSize = 4096 // what a file of a small size takes

// disk is a file system of its own that holds 64 KiB.
type disk string

func newDisk(t *testing.T) disk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system that is small enough to be filled")
	}
	d := t.TempDir()
	err := syscall.Mount("tmpfs", d, "tmpfs", 0, "size=64k,mode=0700")
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this root is not allowed to mount a file system that is small enough to be filled")
	}
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(d, 0)) })
	return disk(d)
}

func (d disk) ballast() string { return filepath.Join(string(d), "ballast") }

// fill leaves room for so many small files.
func (d disk) fill(t *testing.T, room int) {
	t.Helper()
	f, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, pageSize))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	info, err := f.Stat()
	require.NoError(t, err)
	require.NoError(t, f.Truncate(info.Size()/pageSize*pageSize-int64(room*pageSize)))
}

func (d disk) clear(t *testing.T) {
	t.Helper()
	require.NoError(t, os.Remove(d.ballast()))
}

// files returns what is on it, by name.
func (d disk) files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(string(d), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == d.ballast() {
			return err
		}
		text, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, string(d)+"/")] = string(text)
		return err
	}))
	return all
}

// asksToRenew leaves word for the gate, which takes it away when it begins.
func (g *gate) asksToRenew(t *testing.T, host string) {
	t.Helper()
	output, err := exec.Command(binary(t, "trackgate"), "certs", "renew", "-c", g.file, host).CombinedOutput()
	require.NoError(t, err, "%s", output)
}

// says waits until the log of the gate has so many lines with a text.
func (g *gate) says(t *testing.T, text string, times int) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Count(g.process.Output(t), text) >= times }, patience, 100*time.Millisecond, text)
}

// onDisk is a gate with a certificate, and all that it keeps on a small disk.
func onDisk(t *testing.T, way dealing) (g *gate, a *authority, d disk) {
	t.Helper()
	d, g = newDisk(t), newGate(t, track)
	g.storage = string(d)
	a = newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t).behind(t, way)
	g.start(t, of(a)...)
	g.awaits(t, track, a.roots(t))
	return g, a, d
}

// There is room for the word that a certificate is to be renewed, and for no more.
func TestADiskThatIsFull(t *testing.T) {
	t.Parallel()
	g, a, d := onDisk(t, newHold("/").deal)
	roots := a.roots(t)
	before := d.files(t)
	all := g.underLoad(t, track, roots, func() {
		d.fill(t, 1)
		g.asksToRenew(t, track)
		g.says(t, "certificate could not be renewed", 1)
		d.fill(t, 0)
		<-time.After(time.Second)
	})
	for _, s := range all {
		require.Len(t, s.seen, 1, "the old one")
	}
	assert.Equal(t, before, d.files(t), "and nothing else is left")
	assert.NotContains(t, a.process.Output(t), "There are now 2 orders", "nothing is ordered that could not be kept")
	g.stop(t)
	g.start(t, of(a)...)
	old, err := g.shake(track, roots)
	require.NoError(t, err, "a start needs no room")
	assert.True(t, old.Equal(all[0].seen[0].cert))

	d.clear(t)
	g.becomesNew(t, a)
}

// becomesNew asks once more, when there is room.
func (g *gate) becomesNew(t *testing.T, a *authority) {
	t.Helper()
	roots := a.roots(t)
	old := g.awaits(t, track, roots)
	for _, s := range g.underLoad(t, track, roots, func() {
		g.asksToRenew(t, track)
		require.Eventually(t, func() bool {
			cert, err := g.shake(track, roots)
			return err == nil && !cert.Equal(old)
		}, patience, 100*time.Millisecond, "it is not renewed when there is room")
		<-time.After(time.Second)
	}) {
		require.Len(t, s.seen, 2)
	}
}

// The authority has signed, and there is no room for it.
func TestADiskThatFillsUpInTheMidstOfAnOrder(t *testing.T) {
	t.Parallel()
	finalize := newHold("/finalize-order/")
	g, a, d := onDisk(t, finalize.deal)
	roots := a.roots(t)
	finalize.armed.Store(true)
	before := d.files(t)
	all := g.underLoad(t, track, roots, func() {
		g.asksToRenew(t, track)
		finalize.await(t)
		d.fill(t, 0)
		close(finalize.over)
		g.says(t, "order of a certificate failed", 1)
		<-time.After(time.Second)
	})
	for _, s := range all {
		require.Len(t, s.seen, 1, "the old one")
	}
	assert.Equal(t, 2, a.issued(t))
	after := d.files(t)
	delete(after, "orders/"+track+".json") // how the order went, where there is room for that
	assert.Equal(t, before, after, "the old one is as it was, and no lock is left")
	d.clear(t)
	g.becomesNew(t, a)
}

// What could not be ordered at the start is ordered when there is room.
func TestAFirstStartOnAFullDisk(t *testing.T) {
	t.Parallel()
	d, g := newDisk(t), newGate(t, track)
	g.storage = string(d)
	a := newAuthority(t, rules{names: newNames(t, "127.0.0.1"), plain: g.plain, secure: g.secure}).start(t)
	d.fill(t, 0)
	g.start(t, of(a)...)
	g.says(t, "which is tried again", 1)
	assert.Zero(t, a.issued(t), "nothing is ordered that could not be kept")
	d.clear(t)
	g.awaits(t, track, a.roots(t))
	assert.Equal(t, 1, a.issued(t))
}
