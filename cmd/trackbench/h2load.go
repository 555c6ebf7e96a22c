package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// h2loadName is the program that makes the load over HTTP/2.
const h2loadName = "h2load"

// eventDescriptor is where the event is for h2load, its first descriptor after the standard ones.
const eventDescriptor = "/proc/self/fd/3"

// flood is h2load at work: connections with a number of streams each that are always busy.
type flood struct {
	order
	program string
	event   *os.File // in memory
}

// findH2load returns the path of h2load.
func findH2load() (string, error) {
	path, err := exec.LookPath(h2loadName)
	if err != nil {
		return "", useError(fmt.Sprintf("no program %q: install it (Debian: nghttp2-client), or name other scenarios with -scenarios", h2loadName))
	}
	return path, nil
}

// openFlood makes some requests with every stream, on connections that are closed again.
func openFlood(ctx context.Context, o order) (play, error) {
	program, err := findH2load()
	if err != nil {
		return nil, err
	}
	event, err := memoryFile("event", eventBody())
	if err != nil {
		return nil, err
	}
	f := &flood{order: o, program: program, event: event}
	if err := f.pour(ctx, o.connections*o.streams*warmUps); err != nil {
		f.end()
		return nil, err
	}
	return f, nil
}

func (f *flood) work(ctx context.Context) (int, error) {
	return f.requests, f.pour(ctx, f.requests)
}

func (f *flood) end() {
	_ = f.event.Close() // it was only read
}

// pour lets h2load make so many requests. It is on the core and in the group of this
// process, and ends with it.
func (f *flood) pour(ctx context.Context, requests int) error {
	var out, words bytes.Buffer
	cmd := exec.CommandContext(ctx, f.program, f.arguments(requests)...)
	cmd.Stdout, cmd.Stderr = &out, &words
	cmd.ExtraFiles = []*os.File{f.event}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	cmd.WaitDelay = grace
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s%s", h2loadName, err, &out, &words)
	}
	t, err := parseTally(out.String())
	if err == nil {
		err = t.judge(requests)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s%s", h2loadName, err, &out, &words)
	}
	return nil
}

// arguments ask for what our own clients do: the same event with the same fields, the same
// cipher suite and key exchange. A connection on which nothing happens for half a minute has
// failed.
func (f *flood) arguments(requests int) []string {
	arguments := []string{
		"--requests", fmt.Sprint(requests),
		"--clients", fmt.Sprint(f.connections),
		"--max-concurrent-streams", fmt.Sprint(f.streams),
		"--connection-inactivity-timeout", "30",
		"--npn-list", "h2",
		"--tls13-ciphers", "TLS_AES_128_GCM_SHA256",
		"--groups", "X25519",
		"--connect-to", f.gate.address,
		"--data", eventDescriptor,
	}
	for _, f := range eventFields() {
		arguments = append(arguments, "--header", strings.ToLower(f.name)+": "+f.value)
	}
	return append(arguments, "https://"+benchHost+eventPath)
}

// memoryFile is a file without a name that holds text. The caller closes it.
func memoryFile(name, text string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	file := os.NewFile(uintptr(fd), name)
	if _, err := io.WriteString(file, text); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return file, nil
}
