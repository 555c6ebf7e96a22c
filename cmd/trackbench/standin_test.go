package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain lets the test binary be this program too: the bench starts its own
// executable with a verb. The verb standin is a small proxy, for tests only.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"load", "backend", "sink"}, os.Args[1]) {
		main()
	}
	if len(os.Args) > 1 && os.Args[1] == "standin" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		code := exitCode(runStandIn(ctx, os.Args[2]), os.Stderr)
		stop()
		os.Exit(code)
	}
	// A process of a race build sleeps for a second before it exits.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// standIn is a contender that is the test binary. Its habits are "log", "policy".
func standIn(t *testing.T, name string, habits ...string) contender {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return contender{
		name:     name,
		binary:   self,
		settings: "{{.Address}} {{.Certificate}} {{.Key}} {{.AccessLog}} " + strings.Join(habits, " "),
		start:    func(s site) []string { return []string{"standin", s.settingsFile()} },
		version:  []string{"-test.run=^$"},
	}
}

// runStandIn answers by itself what a proxy would fetch from the backend.
func runStandIn(ctx context.Context, settings string) error {
	text, err := os.ReadFile(settings)
	if err != nil {
		return err
	}
	words := strings.Fields(string(text))
	pair, err := tls.LoadX509KeyPair(words[1], words[2])
	if err != nil {
		return err
	}
	log, err := os.Create(words[3])
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", words[0], &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: bothProtocols()})
	if err != nil {
		return err
	}
	habits := words[4:]
	return serveGate(ctx, listener, func(request message) string {
		if slices.Contains(habits, "log") {
			fmt.Fprintln(log, string(request.head.firstLine()))
		}
		if slices.Contains(habits, "policy") && !strings.HasPrefix(string(request.head), "POST /track ") {
			return "404 Not Found"
		}
		return "200 OK"
	})
}

func bothProtocols() []string { return []string{"h2", "http/1.1"} }

// serveGate answers each request with the status that judge gives it.
func serveGate(ctx context.Context, listener net.Listener, judge func(message) string) error {
	overH2 := handedConns{Listener: listener, conns: make(chan net.Conn), ended: ctx.Done()}
	server := &http.Server{Handler: judgedOverH2(judge)}
	context.AfterFunc(ctx, func() {
		listener.Close()
		server.Close()
	})
	go server.Serve(overH2) // ends with ctx
	for {
		conn, err := listener.Accept()
		if err != nil {
			return nil
		}
		go serveGateConn(ctx, conn.(*tls.Conn), judge, overH2)
	}
}

func serveGateConn(ctx context.Context, conn *tls.Conn, judge func(message) string, overH2 handedConns) {
	if conn.HandshakeContext(ctx) == nil && conn.ConnectionState().NegotiatedProtocol == "h2" {
		overH2.take(conn)
		return
	}
	defer conn.Close()
	reader := newMessageReader(conn)
	for request, err := reader.next(); err == nil; request, err = reader.next() {
		if _, err := conn.Write(answerBytesAt(time.Now(), judge(request), answerBody())); err != nil {
			return
		}
	}
}

// judgedOverH2 answers as over HTTP/1.1; judge gets the request as it would be there.
func judgedOverH2(judge func(message) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		head := new(bytes.Buffer)
		fmt.Fprintf(head, "%s %s %s\r\nHost: %s\r\n", r.Method, r.RequestURI, r.Proto, r.Host)
		if err := r.Header.Write(head); err != nil {
			panic(http.ErrAbortHandler)
		}
		status, _, _ := strings.Cut(judge(message{head: head.Bytes(), body: body}), " ")
		code, err := strconv.Atoi(status)
		if err != nil {
			panic(err)
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, answerBody()) // the client notices
	}
}

// handedConns is a listener whose connections somebody else has accepted.
type handedConns struct {
	net.Listener
	conns chan net.Conn
	ended <-chan struct{}
}

func (h handedConns) take(conn net.Conn) {
	select {
	case h.conns <- conn:
	case <-h.ended:
		conn.Close()
	}
}

func (h handedConns) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.ended:
		return nil, net.ErrClosed
	}
}

// testGate is a gate in this process. It answers with status; change may count its
// handshakes.
func testGate(t *testing.T, status string, change func(*tls.Config)) gate {
	t.Helper()
	return judgingGate(t, change, func(message) string { return status })
}

// judgingGate answers with what judge says.
func judgingGate(t *testing.T, change func(*tls.Config), judge func(message) string) gate {
	t.Helper()
	folder := testCertificate(t)
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, certificateFile), filepath.Join(folder, keyFile))
	require.NoError(t, err)
	settings := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: bothProtocols()}
	change(settings)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", settings)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serveGate(ctx, listener, judge) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return gate{address: listener.Addr().String(), leaf: pair.Certificate[0]}
}

// testCertificate returns a folder with the files of a new certificate.
func testCertificate(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	c, err := newCertificate(time.Now(), benchHost, 24*time.Hour)
	require.NoError(t, err)
	require.NoError(t, c.write(folder))
	return folder
}
