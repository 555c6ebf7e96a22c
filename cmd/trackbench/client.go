package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds everything that happens on one connection.
const patience = 60 * time.Second

// gate is where the clients connect: the public side of one proxy.
type gate struct {
	address string
	leaf    []byte // DER of the only certificate that is accepted
}

// client is one connection to the gate. It is used by one goroutine.
type client struct {
	conn    *tls.Conn
	answers *messageReader
}

// connect dials from 127.0.0.source and shakes hands, resuming a session of the cache
// if there is one. The caller closes the client.
func (g gate) connect(ctx context.Context, source byte, sessions tls.ClientSessionCache) (*client, error) {
	settings := g.tlsConfig("http/1.1")
	settings.ClientSessionCache = sessions
	conn, err := g.dial(ctx, source, settings)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, answers: newMessageReader(conn)}, nil
}

// dial has patience for everything that happens on the connection.
func (g gate) dial(ctx context.Context, source byte, settings *tls.Config) (*tls.Conn, error) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, source)}, Control: bindLate, Timeout: patience}
	raw, err := dialer.DialContext(ctx, "tcp", g.address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if err := raw.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, errors.Join(fmt.Errorf("connect: %w", err), raw.Close())
	}
	conn := tls.Client(raw, settings)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close() // a handshake that was given up has closed it already
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return conn, nil
}

// tlsConfig offers one protocol, and X25519 alone.
func (g gate) tlsConfig(protocol string) *tls.Config {
	return &tls.Config{
		ServerName:       benchHost,
		MinVersion:       tls.VersionTLS13,
		CurvePreferences: []tls.CurveID{tls.X25519},
		NextProtos:       []string{protocol},
		// The certificate is compared instead of verified: that is as strict and
		// leaves more of the core to the load.
		InsecureSkipVerify: true,
		VerifyConnection:   g.verify,
	}
}

// verify refuses what would make the proxies' work differ.
func (g gate) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, g.leaf) {
		return errors.New("another certificate than ours")
	}
	if state.CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		return errors.New("cipher suite is " + tls.CipherSuiteName(state.CipherSuite))
	}
	return nil
}

// bindLate leaves the choice of the port to connect, which may then use a port once per
// destination instead of once per source address.
func bindLate(_, _ string, conn syscall.RawConn) error {
	var err error
	if failed := conn.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	}); failed != nil {
		return failed
	}
	return err
}

// exchange sends a request and returns the status and the length of the answer's body.
func (c *client) exchange(request []byte) (status string, length int, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return "", 0, fmt.Errorf("request: %w", err)
	}
	answer, err := c.answers.next()
	if err != nil {
		return "", 0, fmt.Errorf("answer: %w", err)
	}
	line := answer.head.firstLine()
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return "", 0, fmt.Errorf("answer: %q is no status line", line)
	}
	return statusText(line[9:12]), len(answer.body), nil
}

// statusText spares the one string that every good answer would allocate.
func statusText(digits []byte) string {
	if string(digits) == "200" {
		return "200"
	}
	return string(digits)
}

// post implements poster; the event is a whole request.
func (c *client) post(event []byte) error {
	status, length, err := c.exchange(event)
	if err != nil {
		return err
	}
	return judgeAnswer(status, length)
}

// judgeAnswer fails unless the answer is the one to an event.
func judgeAnswer(status string, length int) error {
	if status != "200" || length != answerBytes {
		return fmt.Errorf("answer: status %s with %d bytes, wanted 200 with %d", status, length, answerBytes)
	}
	return nil
}

// close ends the connection from the client's side, as a browser does.
func (c *client) close() error {
	return c.conn.Close()
}
