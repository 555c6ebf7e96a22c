package main

import (
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/trackgate/trackgate/configs"
	"github.com/trackgate/trackgate/internal/accesslog"
	"github.com/trackgate/trackgate/internal/reason"
)

// logFileIn opens a log file that has no trouble.
func logFileIn(t *testing.T, folder string, rotate configs.Rotate) *logFile {
	t.Helper()
	f, err := openLogFile(filepath.Join(folder, "access.log"), rotate, func(err error) { t.Errorf("trouble: %v", err) })
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func say(t *testing.T, f io.Writer, text string) {
	t.Helper()
	n, err := io.WriteString(f, text)
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

func textOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

// putAside lists the files of a folder that are not the current one.
func putAside(t *testing.T, folder string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "*"))
	require.NoError(t, err)
	return slices.DeleteFunc(all, func(name string) bool { return filepath.Base(name) == "access.log" })
}

func TestTheAccessLogIsAppendedTo(t *testing.T) {
	folder := t.TempDir()
	for range 2 {
		f := logFileIn(t, folder, configs.Rotate{})
		say(t, f, "line\n")
		require.NoError(t, f.Close())
	}
	file := filepath.Join(folder, "access.log")
	assert.Equal(t, "line\nline\n", textOf(t, file))
	_, err := openOutput(configs.AccessLog{Output: filepath.Join(file, "below")}, nil)
	assert.ErrorContains(t, err, "log.access.output: ")
}

func TestNobodyElseReadsTheAccessLog(t *testing.T) {
	defer unix.Umask(unix.Umask(0))
	folder := t.TempDir()
	f := logFileIn(t, folder, configs.Rotate{Size: configs.MiB, Keep: 3})
	say(t, f, "line\n")
	require.NoError(t, f.putAside("size"))
	for _, file := range append(putAside(t, folder), f.name) {
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o640), info.Mode(), file)
	}
}

func TestClosingEndsAWriteThatHangs(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "access.log")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	reader, err := os.OpenFile(pipe, os.O_RDWR, 0)
	require.NoError(t, err)
	defer reader.Close()
	f := logFileIn(t, filepath.Dir(pipe), configs.Rotate{})
	ended := make(chan error, 1)
	go func() {
		_, err := f.Write(make([]byte, 4<<20))
		ended <- err
	}()
	begun := make([]byte, 1)
	_, err = reader.Read(begun)
	require.NoError(t, err)
	require.NoError(t, f.Reopen(), "nor does it wait for that")
	require.NoError(t, f.Close())
	select {
	case err := <-ended:
		assert.ErrorIs(t, err, os.ErrClosed)
	case <-time.After(10 * time.Second):
		require.Fail(t, "it hangs")
	}
}

// What logrotate does, and then SIGHUP.
func TestAFileThatWasMovedIsLeftForANewOne(t *testing.T) {
	folder := t.TempDir()
	f := logFileIn(t, folder, configs.Rotate{})
	say(t, f, "one\n")
	require.NoError(t, os.Rename(f.name, f.name+".1"))
	say(t, f, "two\n")
	assert.NoFileExists(t, f.name, "it is not known yet")
	require.NoError(t, f.Reopen())
	say(t, f, "three\n")

	assert.Equal(t, "one\ntwo\n", textOf(t, f.name+".1"))
	assert.Equal(t, "three\n", textOf(t, f.name))
}

func TestAFileThatCannotBeReopenedIsWrittenOn(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.Mkdir(folder, 0o700))
	f := logFileIn(t, folder, configs.Rotate{})
	require.NoError(t, os.Rename(folder, folder+".old"))
	require.ErrorContains(t, f.Reopen(), "log.access.output: ")
	say(t, f, "line\n")
	assert.Equal(t, "line\n", textOf(t, filepath.Join(folder+".old", "access.log")))
}

func TestATornLineOfBeforeSpoilsNoOther(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "access.log"), []byte("one\ntw"), 0o600))
	f := logFileIn(t, folder, configs.Rotate{})
	say(t, f, "three\n")
	assert.Equal(t, "one\ntw\nthree\n", textOf(t, f.name))
}

func TestAFileIsPutAsideBeforeItIsTooLarge(t *testing.T) {
	folder := t.TempDir()
	f := logFileIn(t, folder, configs.Rotate{Size: configs.MiB, Keep: 2})
	piece := strings.Repeat("a line of the log\n", 200<<10/18)
	for range 27 { // five to a file
		say(t, f, piece)
		<-time.After(time.Millisecond) // those of one millisecond are kept or removed together
	}
	require.NoError(t, f.Close())

	assert.Equal(t, strings.Repeat(piece, 2), textOf(t, f.name))
	kept := putAside(t, folder)
	require.Len(t, kept, 2)
	for _, file := range kept {
		assert.Regexp(t, `/access-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}-size(_\d+)?\.log$`, file)
		assert.Equal(t, strings.Repeat(piece, 5), textOf(t, file), "whole lines, and as many as fit")
	}
}

func TestAFileIsPutAsideWhenItIsOld(t *testing.T) {
	folder := t.TempDir()
	f := logFileIn(t, folder, configs.Rotate{Age: time.Hour, Keep: 10})
	say(t, f, "one\n")
	f.turn(1, f.born.Add(time.Hour-1))
	assert.Empty(t, putAside(t, folder))
	f.turn(1, f.born.Add(time.Hour))
	require.Len(t, putAside(t, folder), 1)
	assert.Equal(t, "one\n", textOf(t, putAside(t, folder)[0]))

	f.turn(1, time.Now().Add(24*time.Hour))
	assert.Len(t, putAside(t, folder), 1, "an empty one is as good as new")
	say(t, f, "two\n")
	f.turn(1, f.born.Add(time.Hour-1))
	assert.Len(t, putAside(t, folder), 1)
	f.turn(1, f.born.Add(time.Hour))
	assert.Len(t, putAside(t, folder), 2)
}

func TestAFileOfAClockThatWasAheadGrowsOldAllTheSame(t *testing.T) {
	folder := t.TempDir()
	f := logFileIn(t, folder, configs.Rotate{Age: time.Hour})
	say(t, f, "a\n")
	now := f.born.AddDate(0, 0, -90)
	f.turn(1, now)
	f.turn(1, now.Add(time.Hour-1))
	assert.Empty(t, putAside(t, folder), "it was seen an hour ago at most")
	f.turn(1, now.Add(time.Hour))
	assert.Len(t, putAside(t, folder), 1)
}

// The age of a file is not that of the process.
func TestARestartMakesNoFileYounger(t *testing.T) {
	folder := t.TempDir()
	first := logFileIn(t, folder, configs.Rotate{Age: time.Hour, Keep: 10})
	say(t, first, "line\n")
	<-time.After(20 * time.Millisecond)
	second := logFileIn(t, folder, configs.Rotate{Age: time.Hour, Keep: 10})
	if second.born.Sub(first.born) > 15*time.Millisecond {
		t.Skip("this file system does not know when a file was made")
	}
	assert.LessOrEqual(t, second.born.UnixNano(), first.born.UnixNano())
}

func TestWhatIsPutAsideIsCompressed(t *testing.T) {
	folder := t.TempDir()
	f := logFileIn(t, folder, configs.Rotate{Size: configs.MiB, Keep: 3, Compress: true})
	say(t, f, "line\n")
	require.NoError(t, f.putAside("size"))
	require.NoError(t, f.Close())

	kept := putAside(t, folder)
	require.Len(t, kept, 1)
	require.True(t, strings.HasSuffix(kept[0], "-size.log.gz"), kept[0])
	file, err := os.Open(kept[0])
	require.NoError(t, err)
	defer file.Close()
	reader, err := gzip.NewReader(file)
	require.NoError(t, err)
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	assert.Equal(t, "line\n", string(text))
}

func TestAFileThatCannotBePutAsideIsWrittenOn(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.Mkdir(folder, 0o700))
	var told []error
	f, err := openLogFile(filepath.Join(folder, "access.log"), configs.Rotate{Age: time.Hour, Keep: 1}, func(err error) { told = append(told, err) })
	require.NoError(t, err)
	defer f.Close()
	say(t, f, "one\n")
	require.NoError(t, os.Rename(folder, folder+".old"))
	require.NoError(t, os.WriteFile(folder, nil, 0o600), "a file where the folder was")
	for range 3 {
		say(t, f, "two\n")
	}
	assert.Len(t, told, 1, "once a minute, and not with each piece")
	assert.Equal(t, "one\ntwo\ntwo\ntwo\n", textOf(t, filepath.Join(folder+".old", "access.log")))
}

// While one gate drains and the next one serves, both log to the same file, and each
// puts it aside when it is due.
func TestTwoProcessesLoseNothing(t *testing.T) {
	folder := t.TempDir()
	rotate := configs.Rotate{Size: configs.MiB, Keep: 1000}
	var both sync.WaitGroup
	for name := range 2 {
		f := logFileIn(t, folder, rotate)
		both.Go(func() {
			for i := range 40 {
				line := strconv.Itoa(name) + " " + strconv.Itoa(i) + strings.Repeat(" and so on", 10) + "\n"
				io.WriteString(f, strings.Repeat(line, 1000)) //nolint:errcheck // what is missing is found below
			}
		})
	}
	both.Wait()
	seen := map[string]int{}
	for _, file := range append(putAside(t, folder), filepath.Join(folder, "access.log")) {
		text := textOf(t, file)
		require.True(t, text == "" || strings.HasSuffix(text, "\n"), file)
		for line := range strings.Lines(text) {
			seen[line]++
		}
	}
	assert.Len(t, seen, 80)
	for line, n := range seen {
		assert.Equal(t, 1000, n, line[:min(10, len(line))])
	}
}

// The whole way: exchanges are logged while the file is put aside, moved and reopened.
func TestNoLineIsLostOrTornWhileFilesChange(t *testing.T) {
	const loggers, lines = 4, 10_000
	folder := t.TempDir()
	f := logFileIn(t, folder, configs.Rotate{Size: configs.MiB, Keep: 1000})
	log := accesslog.New(accesslog.Options{Output: f, Sample: 1})
	ctx, end := context.WithCancel(t.Context())
	var run, all sync.WaitGroup
	run.Go(func() { log.Run(ctx) })
	for n := range loggers {
		all.Go(func() {
			for i := range lines {
				log.Write(&accesslog.Entry{RequestID: []byte(strconv.Itoa(n) + "-" + strconv.Itoa(i)), Reason: reason.OK, Status: 200})
			}
		})
	}
	for i := range 20 {
		require.NoError(t, os.Rename(f.name, f.name+"."+strconv.Itoa(i)))
		require.NoError(t, f.Reopen())
	}
	all.Wait()
	end()
	run.Wait()

	seen := map[string]bool{}
	for _, file := range append(putAside(t, folder), f.name) {
		for line := range strings.Lines(textOf(t, file)) {
			require.Regexp(t, `^\{"time":.*,"user_agent":""\}\n$`, line)
			_, id, _ := strings.Cut(line, `"request_id":"`)
			id, _, _ = strings.Cut(id, `"`)
			require.False(t, seen[id], id)
			seen[id] = true
		}
	}
	assert.EqualValues(t, loggers*lines, uint64(len(seen))+log.Dropped(), "each is there, or had no room and was counted")
}
