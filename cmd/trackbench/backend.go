package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net"
	"sync"
	"time"
)

// backendVerb serves the stand-in for a collecting backend until ctx ends.
func backendVerb(ctx context.Context, args []string, std streams) error {
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	address := flags.String("address", "127.0.0.1:0", "`host:port` to listen on")
	if err := parseFlags(flags, args, std.err); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	fmt.Fprintln(std.out, listener.Addr())
	return serveBackend(ctx, listener)
}

// serveBackend answers every connection of the listener, which it closes, until
// ctx ends; all connections are closed then.
func serveBackend(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { listener.Close() })
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			cancel()
			return fmt.Errorf("backend: %w", err)
		}
		running.Go(func() { serveConn(ctx, conn) })
	}
}

// serveConn answers the requests of one connection until the other side closes it,
// says something that is no request, or ctx ends.
func serveConn(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	reader := newMessageReader(conn)
	var clock answerClock
	for {
		request, err := reader.next()
		if err != nil {
			return
		}
		if _, err = conn.Write(clock.answer(request)); err != nil {
			return
		}
	}
}

// answerClock makes answers for one connection. It keeps the one to an event
// while its date, which has whole seconds, is right.
type answerClock struct {
	second int64
	event  []byte
}

func (c *answerClock) answer(request message) []byte {
	now := time.Now()
	if fault := judge(request); fault != "" {
		return answerBytesAt(now, "500 Internal Server Error", fmt.Sprintf(`{"detail":%q}`, fault))
	}
	if len(request.body) == 0 {
		return answerBytesAt(now, "200 OK", `""`)
	}
	if now.Unix() != c.second {
		c.second, c.event = now.Unix(), answerBytesAt(now, "200 OK", answerBody())
	}
	return c.event
}

// judge says what is wrong with a request, or nothing: a proxy that mangles what
// it carries, or does not do all of the work, must not come out of this as fast.
func judge(request message) string {
	if bytes.HasPrefix(request.head, []byte("GET /healthcheck ")) {
		return ""
	}
	if !bytes.HasPrefix(request.head, []byte("POST "+eventPath+" ")) || len(request.body) != eventBytes {
		return "this is not the event"
	}
	if value, ok := request.head.field("x-forwarded-for"); !ok || !bytes.HasPrefix(value, []byte("127.0.0.")) {
		return "x-forwarded-for is missing or wrong"
	}
	return ""
}

// answerBytesAt writes an answer as uvicorn does.
func answerBytesAt(now time.Time, status, body string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 %s\r\ndate: %s\r\nserver: uvicorn\r\ncontent-length: %d\r\ncontent-type: application/json\r\n\r\n%s",
		status, now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), len(body), body)
}
