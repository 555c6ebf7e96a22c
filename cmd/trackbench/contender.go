package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ours is the name of the proxy that the others are compared with.
const ours = "trackgate"

// earlier is the name of another build of it, from before a change.
const earlier = "before"

// contender is a proxy that takes part.
type contender struct {
	name        string
	binary      string                // looked up in PATH and where Debian puts daemons
	settings    string                // template over site
	start       func(s site) []string // arguments
	version     []string              // arguments that print it
	logsOverTCP bool                  // to site.LogServer; otherwise to site.AccessLog itself
	flush       time.Duration         // for at most so long it keeps lines of its access log back
}

// find resolves the binary.
func (c contender) find() (contender, error) {
	path, err := exec.LookPath(c.binary)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", c.binary))
	}
	if err != nil {
		return c, useError(fmt.Sprintf("%s: no program %q: install or build it, or name the others with -only", c.name, c.binary))
	}
	c.binary = path
	return c, nil
}

// describe returns the first line of what the proxy says about its version.
func (c contender) describe(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, c.binary, c.version...).CombinedOutput()
	line, _, _ := strings.Cut(string(out), "\n")
	if err != nil || line == "" {
		return "unknown version"
	}
	return line
}

// proxy is a contender that runs.
type proxy struct {
	*process
	site  site
	gate  gate
	words *bytes.Buffer // what it said on standard error; valid once it has ended
	sent  int           // requests, all of which must be in its access log
}

// launch starts the contender and returns once it does its whole work. The caller
// stops it.
func (c contender) launch(ctx context.Context, s site, core int, leaf []byte) (*proxy, error) {
	if err := s.writeSettings(c.settings); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	p := &proxy{site: s, gate: gate{address: s.Address, leaf: leaf}, words: new(bytes.Buffer)}
	run := command{name: c.name, argv: append([]string{c.binary}, c.start(s)...), core: core, err: p.words}
	var err error
	if p.process, err = run.start(); err != nil {
		return nil, err
	}
	if err := p.awaitService(ctx); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w\n%s", c.name, err, p.words)
	}
	return p, nil
}

// awaitService asks until an event passes, then whether anything else is refused.
func (p *proxy) awaitService(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		err := p.asks(ctx, "POST", eventPath, "200")
		if err == nil {
			return errors.Join(p.asks(ctx, "GET", eventPath, "404", "405"), p.asks(ctx, "POST", "/tracker", "404"))
		}
		select {
		case <-p.ended:
			return fmt.Errorf("has ended: %w", errors.Join(p.err, err))
		case <-ctx.Done():
			return fmt.Errorf("does not serve: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// asks makes one request on a connection of its own, which must be answered with
// one of the statuses.
func (p *proxy) asks(ctx context.Context, method, path string, statuses ...string) error {
	c, err := p.gate.connect(ctx, 2, nil)
	if err != nil {
		return err
	}
	body := ""
	if method == "POST" {
		body = eventBody()
	}
	p.sent++
	status, _, err := c.exchange(requestBytes(method, path, body))
	if err := errors.Join(err, c.close()); err != nil {
		return err
	}
	for _, wanted := range statuses {
		if status == wanted {
			return nil
		}
	}
	return fmt.Errorf("%s %s: answered %s, wanted %s", method, path, status, strings.Join(statuses, " or "))
}

// logLines counts what is in the access log. It is complete once the proxy has
// ended.
func (p *proxy) logLines() (int, error) {
	file, err := os.Open(p.site.AccessLog())
	if err != nil {
		return 0, fmt.Errorf("%s: access log: %w", p.name, err)
	}
	defer file.Close()
	lines, buf := 0, make([]byte, 64<<10)
	for {
		n, err := file.Read(buf)
		lines += bytes.Count(buf[:n], []byte("\n"))
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return 0, fmt.Errorf("%s: access log: %w", p.name, err)
		}
	}
}
