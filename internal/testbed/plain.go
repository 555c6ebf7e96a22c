package testbed

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
)

// errKept says that the gate does not end a connection in time.
var errKept = errors.New("the gate keeps the connection open")

// plain is the wording of HTTP/1.1.
type plain struct {
	nc    net.Conn
	r     *bufio.Reader
	begun *http.Response // the answer whose body is not read yet; after a 101 it stays
}

func newPlain(nc net.Conn) *plain { return &plain{nc: nc, r: bufio.NewReader(nc)} }

func (p *plain) say(raw string) error {
	_, err := io.WriteString(p.nc, raw)
	return err
}

func (p *plain) hint() (int, error) {
	res, err := http.ReadResponse(p.r, nil)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, nil
}

func (p *plain) begin(method string) (*Result, error) {
	var interim []int
	for p.begun == nil {
		res, err := http.ReadResponse(p.r, &http.Request{Method: method})
		switch {
		case err != nil:
			return nil, err
		case res.StatusCode < 200 && res.StatusCode != http.StatusSwitchingProtocols:
			interim = append(interim, res.StatusCode)
		default:
			p.begun = res
		}
	}
	closes := p.begun.Close
	return &Result{
		Status: p.begun.StatusCode, Header: p.begun.Header, Interim: interim,
		stays: func() bool { return !closes }, closes: func() bool { return closes },
	}, nil
}

func (p *plain) hear(b []byte) error {
	from := io.Reader(p.r)
	if p.begun != nil && p.begun.StatusCode != http.StatusSwitchingProtocols {
		from = p.begun.Body
	}
	_, err := io.ReadFull(from, b)
	return err
}

func (p *plain) rest(r *Result) *Result {
	if r.Status == http.StatusSwitchingProtocols {
		return r
	}
	body, err := io.ReadAll(p.begun.Body)
	r.Body, r.Err, r.trailer = string(body), err, p.begun.Trailer
	p.begun = nil
	return r
}

func (p *plain) farewell() (unexpected string, err error) {
	said, err := io.ReadAll(p.r)
	return string(said), kept(err)
}

func (p *plain) close() (unexpected string, err error) { return p.farewell() }

// kept turns a deadline that has passed into errKept.
func kept(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errKept
	}
	return err
}
