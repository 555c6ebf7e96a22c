package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// sinkVerb is the log server of a proxy that logs over TCP: it writes what it is
// sent to a file until ctx ends and its senders have closed.
func sinkVerb(ctx context.Context, args []string, std streams) error {
	flags := flag.NewFlagSet("sink", flag.ContinueOnError)
	path := flags.String("file", "", "`file` to write to")
	if err := parseFlags(flags, args, std.err); err != nil {
		return err
	}
	file, err := os.OpenFile(*path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	defer file.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	fmt.Fprintln(std.out, listener.Addr())
	return drainInto(ctx, listener, file)
}

// drainInto copies every connection of the listener, which it closes, to out.
func drainInto(ctx context.Context, listener net.Listener, out io.Writer) error {
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sink: %w", err)
		}
		running.Go(func() {
			defer conn.Close()
			_, _ = io.Copy(out, conn) // what is missing shows when the lines are counted
		})
	}
}
