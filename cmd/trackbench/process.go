package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// grace is how long a process may take to end before it is killed.
const grace = 3 * time.Second

// command is what is started, and where.
type command struct {
	name string // for errors
	argv []string
	core int
	in   *os.File // closed by start; nil: nothing to read
	out  io.Writer
	err  io.Writer
}

// process is a started command. It and its children end with stop, and with us
// should we be killed.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended; err is set then
	err   error
}

// start starts the command in a process group of its own, on its core only.
func (c command) start() (*process, error) {
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Stdout, cmd.Stderr = c.out, c.err
	if c.in != nil {
		defer c.in.Close()
		cmd.Stdin = c.in
	}
	cmd.WaitDelay = grace
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := onCore(c.core, cmd.Start); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	p := &process{name: c.name, cmd: cmd, ended: make(chan struct{})}
	go p.reap()
	return p, nil
}

// onCore calls act on a thread that runs on one core only: what is started from
// it inherits that.
func onCore(core int, act func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("affinity: %w", err)
	}
	one.Set(core)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return fmt.Errorf("core %d: %w", core, err)
	}
	return errors.Join(act(), unix.SchedSetaffinity(0, &before))
}

func (p *process) reap() {
	p.err = p.cmd.Wait()
	close(p.ended)
}

// pid is the number of the process that was started, the first of its tree.
func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks the process and its children to end and waits; after a time of grace
// they are killed.
func (p *process) stop() {
	p.signalGroup(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(grace):
	}
	p.signalGroup(syscall.SIGKILL)
	<-p.ended
}

// signalGroup may come too late: that they are gone is what is wanted.
func (p *process) signalGroup(sig syscall.Signal) {
	_ = syscall.Kill(-p.pid(), sig)
}
