package tlsconf

import (
	"os"
	"path/filepath"
	"syscall"
)

// storage is a folder for what nobody else may read.
type storage string

// open makes the folder where it is missing.
func (s storage) open() error { return os.MkdirAll(string(s), 0o700) }

func (s storage) path(name string) string { return filepath.Join(string(s), name) }

// lock keeps other processes out until the returned function is called. It is
// best effort: not every file system has locks, and every write is whole anyway.
func (s storage) lock() (unlock func(), err error) {
	folder, err := os.Open(string(s))
	if err != nil {
		return nil, err
	}
	_ = syscall.Flock(int(folder.Fd()), syscall.LOCK_EX)
	return func() { folder.Close() }, nil
}

// write puts a file in place as a whole: temporary file, fsync, rename, fsync of
// the folder. os.CreateTemp gives it mode 0600.
func (s storage) write(name string, content []byte) error {
	f, err := os.CreateTemp(string(s), "."+name+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // there is none after the rename
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), s.path(name)); err != nil {
		return err
	}
	return s.sync()
}

func (s storage) sync() error {
	folder, err := os.Open(string(s))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
