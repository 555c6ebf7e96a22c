package syslog

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lines are three that the access log writes, of three levels.
const lines = `{"time":"2026-03-01T12:00:00.042Z","level":"info","listener":"public","status":200}
{"time":"2026-03-01T12:00:00.043Z","level":"warn","listener":"gui","status":403}
{"time":"2026-03-01T12:00:00.044Z","level":"error","listener":"public","status":502}
`

// patient is how long a test waits for what has to come.
const patient = 10 * time.Second

// messages are what the three lines become over the network, from here.
func messages() []string {
	head := func(priority int, ms string) string {
		return "<" + strconv.Itoa(priority) + ">1 2026-03-01T12:00:00." + ms + "Z " + hostname() + " trackgate " + strconv.Itoa(os.Getpid()) + " access - "
	}
	all := strings.Split(lines, "\n")
	return []string{head(134, "042") + all[0], head(132, "043") + all[1], head(131, "044") + all[2]}
}

// datagrams listens, and returns the address and what comes.
func datagrams(t *testing.T, network, address string) (string, func() string) {
	t.Helper()
	pc, err := net.ListenPacket(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { pc.Close() })
	return pc.LocalAddr().String(), func() string {
		t.Helper()
		p := make([]byte, 64<<10)
		require.NoError(t, pc.SetReadDeadline(time.Now().Add(patient)))
		n, _, err := pc.ReadFrom(p)
		require.NoError(t, err)
		return string(p[:n])
	}
}

func TestOverUDPEachLineIsADatagram(t *testing.T) {
	address, next := datagrams(t, "udp", "127.0.0.1:0")
	s := New("udp", address)
	defer s.Close()
	n, err := s.Write([]byte(lines))
	require.NoError(t, err)
	assert.Equal(t, len(lines), n)
	for _, want := range messages() {
		assert.Equal(t, want, next())
	}
}

func TestOverTCPEachMessageHasItsLengthBeforeIt(t *testing.T) {
	l := listen(t, "tcp", "127.0.0.1:0")
	s := New("tcp", l.Addr().String())
	n, err := s.Write([]byte(lines))
	require.NoError(t, err)
	assert.Equal(t, len(lines), n)
	conn := accept(t, l)
	require.NoError(t, s.Close())

	var want strings.Builder
	for _, m := range messages() {
		want.WriteString(strconv.Itoa(len(m)) + " " + m)
	}
	assert.Equal(t, want.String(), rest(t, conn))
}

// local is a message as syslog(3) writes it.
var local = regexp.MustCompile(`^<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d trackgate\[\d+\]: (\{.*\})$`)

func TestOnASocketOfThisMachineMessagesAreLocal(t *testing.T) {
	address, next := datagrams(t, "unixgram", filepath.Join(t.TempDir(), "log"))
	s := New("unix", address)
	defer s.Close()
	_, err := s.Write([]byte(lines))
	require.NoError(t, err)
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		got := local.FindStringSubmatch(next())
		require.NotNil(t, got)
		assert.Equal(t, []string{"134", "132", "131"}[i], got[1])
		assert.Equal(t, line, got[2])
	}
}

func TestASocketOfThisMachineMayBeAStream(t *testing.T) {
	l := listen(t, "unix", filepath.Join(t.TempDir(), "log"))
	s := New("unix", l.Addr().String())
	_, err := s.Write([]byte(lines))
	require.NoError(t, err)
	conn := accept(t, l)
	s.Close()
	got := strings.Split(rest(t, conn), "\n")
	require.Len(t, got, 4)
	for _, m := range got[:3] {
		assert.Regexp(t, local, m)
	}
	assert.Empty(t, got[3])
}

func TestLinesThatCannotBeReadAreSentAllTheSame(t *testing.T) {
	w := newWriter(false)
	for _, line := range []string{
		"", "{}", `{"time":"`, `{"time":"2026-03-01T12:00:00.042Z"`, `{"time":"12026-03-01T12:00:00.042Z","level":"error"}`, "\n",
	} {
		m := string(w.append(nil, []byte(line), time.Now()))
		assert.Equal(t, "<134>1 -"+w.head+line, m)
	}
}

func listen(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	return conn
}

// rest is all that comes on a connection.
func rest(t *testing.T, conn net.Conn) string {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patient)))
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(text)
}

func TestBetweenTwoTriesThereArePauses(t *testing.T) {
	s := New("unix", filepath.Join(t.TempDir(), "nobody"))
	began := time.Now()
	var tries []int
	for second := range 130 {
		n, err := s.write([]byte(lines), began.Add(time.Duration(second)*time.Second))
		require.Error(t, err)
		assert.Zero(t, n)
		if !errors.Is(err, ErrAway) {
			tries = append(tries, second)
		}
	}
	assert.Equal(t, []int{0, 1, 3, 7, 15, 31, 61, 91, 121}, tries)
}

func TestASyslogThatComesBackIsUsedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s := New("unix", path)
	defer s.Close()
	now := time.Now()
	_, err := s.write([]byte(lines), now)
	require.Error(t, err)

	_, next := datagrams(t, "unixgram", path)
	_, err = s.write([]byte(lines), now.Add(firstPause-1))
	require.ErrorIs(t, err, ErrAway)
	_, err = s.write([]byte(lines), now.Add(firstPause))
	require.NoError(t, err)
	assert.Contains(t, next(), `"status":200`)
}

// A restart of the syslog, with nobody away for long, costs no line.
func TestASyslogThatIsRestartedLosesNothing(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "log")
			}
			l := listen(t, network, address)
			s := New(network, l.Addr().String())
			defer s.Close()
			now := time.Now()
			_, err := s.write([]byte(lines), now)
			require.NoError(t, err)
			old := accept(t, l)
			_, err = io.ReadAtLeast(old, make([]byte, 64<<10), len(lines))
			require.NoError(t, err)
			old.Close()
			require.Eventually(t, func() bool { return ended(s.conn) }, patient, time.Millisecond)

			n, err := s.write([]byte(lines), now.Add(firstPause))
			require.NoError(t, err)
			assert.Equal(t, len(lines), n)
			s.Close()
			assert.Equal(t, 3, strings.Count(rest(t, accept(t, l)), `"status":`))
		})
	}
	t.Run("datagrams", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log")
		first, err := net.ListenPacket("unixgram", path)
		require.NoError(t, err)
		s := New("unix", path)
		defer s.Close()
		now := time.Now()
		_, err = s.write([]byte(lines), now)
		require.NoError(t, err)
		first.Close()
		os.Remove(path) //nolint:errcheck // Close may have done it

		_, next := datagrams(t, "unixgram", path)
		n, err := s.write([]byte(lines), now.Add(firstPause))
		require.NoError(t, err)
		assert.Equal(t, len(lines), n)
		assert.Contains(t, next(), `"status":200`, "the line that met the closed socket was sent again")
	})
}

// Whoever accepts and reads nothing costs the log its lines, and a bounded time.
func TestASlowSyslogIsGivenUp(t *testing.T) {
	for _, network := range []string{"tcp", "unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			address := "127.0.0.1:0"
			if network != "tcp" {
				address = filepath.Join(t.TempDir(), "log")
			}
			if network == "unixgram" {
				address, _ = datagrams(t, network, address)
			} else {
				address = listen(t, network, address).Addr().String()
			}
			s := New(strings.TrimSuffix(network, "gram"), address)
			defer s.Close()
			piece := []byte(strings.Repeat(lines, 1000))
			for {
				began := time.Now()
				n, err := s.Write(piece)
				if err == nil {
					continue
				}
				assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
				assert.Less(t, time.Since(began), patience+5*time.Second)
				assert.Less(t, n, len(piece))
				assert.True(t, n == 0 || piece[n-1] == '\n', "whole lines")
				break
			}
		})
	}
}
