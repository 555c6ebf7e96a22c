package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// unlimited is what version 1 says of a group without a limit, rounded down to
// any size of pages.
const unlimited = 1<<63 - 1<<20

// Limit is how much memory a group may have.
type Limit struct {
	Bytes int64
	File  string // says so; "" where nothing limits the process
}

// Memory returns the tightest limit of this process. Root is the file system from /.
// An error says what could not be read or understood; the limit is that of the rest.
func Memory(root fs.FS) (Limit, error) {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if errors.Is(err, fs.ErrNotExist) {
		return Limit{}, nil // another system, or one without groups
	}
	mounts, mountsErr := fs.ReadFile(root, "proc/self/mountinfo")
	if err := errors.Join(err, mountsErr); err != nil {
		return Limit{}, err
	}
	var tightest Limit
	var failures []error
	for _, file := range limitFiles(string(groups), string(mounts)) {
		bytes, limited, err := readLimit(root, file)
		failures = append(failures, err)
		if limited && (tightest.File == "" || bytes < tightest.Bytes) {
			tightest = Limit{Bytes: bytes, File: "/" + file}
		}
	}
	return tightest, errors.Join(failures...)
}

// limitFiles names the files that may limit the process: that of its own group, and
// of every one above it.
func limitFiles(groups, mounts string) []string {
	var files []string
	for _, h := range hierarchies(groups) {
		for line := range strings.Lines(mounts) {
			m, ok := parseMount(line)
			if !ok || !h.on(m) {
				continue
			}
			if below, ok := m.below(h.group); ok {
				files = append(files, upwards(m.point, below, h.file)...)
				break // the same groups, mounted once more
			}
		}
	}
	return files
}

// upwards names file in the folder below top, and in all between the two.
func upwards(top, below, file string) []string {
	var files []string
	for folder := path.Clean("/" + below); ; folder = path.Dir(folder) {
		files = append(files, strings.TrimPrefix(path.Join(top, folder, file), "/"))
		if folder == "/" {
			return files
		}
	}
}

// readLimit reads one file. One that isn't there limits nothing: the topmost group
// has none, nor has one without the controller.
func readLimit(root fs.FS, file string) (bytes int64, limited bool, err error) {
	text, err := fs.ReadFile(root, file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	value := strings.TrimSpace(string(text))
	if value == "max" {
		return 0, false, nil
	}
	bytes, err = strconv.ParseInt(value, 10, 64)
	if err != nil || bytes < 0 {
		return 0, false, fmt.Errorf("/%s: %q is no number of bytes", file, value)
	}
	return bytes, bytes < unlimited, nil
}
