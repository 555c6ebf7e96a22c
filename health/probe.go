package health

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trackgate/trackgate/configs"
)

const (
	userAgent    = "trackgate-health/1"
	maxBodyBytes = 64 << 10 // read of an answer; what is beyond says nothing about health
	maxHeadBytes = 32 << 10
)

// probe asks one backend. It is not done by http.Client, whose connections
// live by themselves: they log what a backend says unasked, and take a proxy
// from the environment.
type probe struct {
	addr    string
	tls     func() *tls.Config // nil: plain HTTP
	request *http.Request
	status  []int
	timeout time.Duration
	last    string // where a name led when the backend was last reached; "" for addresses
}

// newProbe prepares the question.
func newProbe(s configs.Health, t Target) (*probe, error) {
	u, err := url.ParseRequestURI(s.Path)
	if err != nil {
		return nil, fmt.Errorf("path %q cannot be asked for: %w", s.Path, err)
	}
	request := &http.Request{
		Method: http.MethodGet,
		URL:    u,
		Host:   cmp.Or(s.Host, t.Host, t.Addr),
		Header: http.Header{"User-Agent": {userAgent}},
		Close:  true,
	}
	return &probe{addr: t.Addr, tls: t.TLS, request: request, status: s.Status, timeout: s.Timeout}, nil
}

// ask is nil if the backend answered in time and as expected.
func (p *probe) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	err := p.exchange(ctx)
	if err != nil && ctx.Err() != nil {
		return &lateError{p.timeout}
	}
	return err
}

// exchange asks on a connection of its own and reads the answer.
func (p *probe) exchange(ctx context.Context) error {
	conn, err := p.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := p.request.Write(conn); err != nil {
		return fmt.Errorf("request: %w", err)
	}
	return p.read(conn)
}

func (p *probe) dial(ctx context.Context) (net.Conn, error) {
	nc, err := p.reach(ctx)
	if err != nil || p.tls == nil {
		return nc, err
	}
	tc := tls.Client(nc, p.config())
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return tc, nil
}

// config is that of this probe, for the backend's own name if it names none.
func (p *probe) config() *tls.Config {
	config := p.tls()
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(p.addr)
	}
	return config
}

// reach connects. A name that cannot be looked up, for which half of the time must
// do, leads to where it led the last time: that a resolver is ill says nothing
// about the backend.
func (p *probe) reach(ctx context.Context) (net.Conn, error) {
	var dialer net.Dialer
	first := ctx
	if p.last != "" {
		var cancel context.CancelFunc
		first, cancel = context.WithTimeout(ctx, p.timeout/2)
		defer cancel()
	}
	nc, err := dialer.DialContext(first, "tcp", p.addr)
	var unresolved *net.DNSError
	if p.last != "" && errors.As(err, &unresolved) {
		return dialer.DialContext(ctx, "tcp", p.last)
	}
	if _, literal := netip.ParseAddrPort(p.addr); err == nil && literal != nil {
		p.last = nc.RemoteAddr().String()
	}
	return nc, err
}

// read judges an answer. Its body is not closed, which would read all of it:
// the connection is.
func (p *probe) read(conn net.Conn) error {
	bounded := &io.LimitedReader{R: conn, N: maxHeadBytes}
	response, err := readHead(bufio.NewReader(bounded), p.request)
	if err != nil && bounded.N == 0 {
		return errLongHead
	}
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if !slices.Contains(p.status, response.StatusCode) {
		return &statusError{response.StatusCode, p.status}
	}
	bounded.N = math.MaxInt64
	if _, err := io.CopyN(io.Discard, response.Body, maxBodyBytes); err != nil && err != io.EOF {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

// readHead reads the head of the final answer, past those that announce it
// (RFC 9110, section 15.2).
func readHead(r *bufio.Reader, request *http.Request) (*http.Response, error) {
	for {
		response, err := http.ReadResponse(r, request)
		if err != nil || response.StatusCode/100 != 1 || response.StatusCode == http.StatusSwitchingProtocols {
			return response, err
		}
	}
}

// errLongHead is an answer of which even the head does not end.
var errLongHead = fmt.Errorf("answer: head longer than %d bytes", maxHeadBytes)

// lateError is an answer that was not complete in time.
type lateError struct{ timeout time.Duration }

func (e *lateError) Error() string { return fmt.Sprintf("no answer within %s", e.timeout) }

// statusError is an answer with another status than those expected.
type statusError struct {
	got    int
	wanted []int
}

func (e *statusError) Error() string {
	var wanted []string
	for _, status := range e.wanted {
		wanted = append(wanted, strconv.Itoa(status))
	}
	return fmt.Sprintf("status %d, wanted %s", e.got, strings.Join(wanted, " or "))
}
