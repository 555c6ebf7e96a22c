//go:build scenario

package scenario

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scarce is how many file descriptors a gate may have here. It lets clients have 45
// of 100; with the rest it reaches backends, checks them and answers operators.
const (
	scarce  = 256
	allowed = scarce * 45 / 100
)

// newScarce makes a site whose gate can have few file descriptors from its start on.
func newScarce(t *testing.T, p plan) *site {
	t.Helper()
	_, err := exec.LookPath("prlimit")
	require.NoError(t, err, "this scenario needs prlimit: make install-tools")
	p.under = []string{"prlimit", fmt.Sprintf("--nofile=%d:%d", scarce, scarce)}
	s := newSite(t, p)
	require.Equal(t, float64(scarce), s.before["process_max_fds"])
	return s
}

// regulars are clients that came first and ask all the time, each on the one connection
// that it has.
type regulars struct {
	leave chan struct{}
	gone  sync.WaitGroup
	mu    sync.Mutex
	r     report
}

// startRegulars begins so many, of which each asks every gap.
func (s *site) startRegulars(t *testing.T, count int, gap time.Duration) *regulars {
	t.Helper()
	g := &regulars{leave: make(chan struct{})}
	for i := range count {
		l, err := s.client.line(true)
		require.NoError(t, err)
		g.gone.Go(func() { g.attend(l, s.client.within, i, gap) })
	}
	return g
}

func (g *regulars) attend(l *line, within time.Duration, number int, gap time.Duration) {
	defer l.Close()
	tick := time.NewTicker(gap)
	defer tick.Stop()
	for n := 0; ; n++ {
		v := visit{request: request{id: fmt.Sprintf("r-%d-%d", number, n), post: n%2 == 0}, begin: time.Now()}
		keep, err := l.exchange(v.request, &v, time.Now().Add(within))
		v.err, v.end = err, time.Now()
		g.mu.Lock()
		g.r = append(g.r, v)
		g.mu.Unlock()
		if err != nil || !keep {
			return // the client would have to come again, which is what is asked about
		}
		select {
		case <-tick.C:
		case <-g.leave:
			return
		}
	}
}

// stop lets them leave and tells of them.
func (g *regulars) stop() report {
	close(g.leave)
	g.gone.Wait()
	return g.r
}

// mutes opens connections that say nothing. The gate resets those for which it has no
// room, some before they are known to be open.
func (s *site) mutes(t *testing.T, count int) (leave func()) {
	t.Helper()
	var all []net.Conn
	for range count {
		conn, err := net.Dial("tcp", s.address)
		if errors.Is(err, syscall.ECONNRESET) {
			continue
		}
		require.NoError(t, err)
		all = append(all, conn)
	}
	leave = sync.OnceFunc(func() {
		for _, conn := range all {
			conn.Close()
		}
	})
	t.Cleanup(leave)
	return leave
}

// worked is how long the gate's threads have had a processor so far.
func (s *site) worked(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.PID()))
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), ") ")
	require.True(t, found, "%s", text)
	fields := strings.Fields(rest) // from the third on: proc_pid_stat(5)
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.Atoi(field)
		require.NoError(t, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// calm demands that the gate uses less than a fifth of one processor for a while.
func (s *site) calm(t *testing.T, while time.Duration) {
	t.Helper()
	began, before := time.Now(), s.worked(t)
	pause(while)
	share := float64(s.worked(t)-before) / float64(time.Since(began))
	t.Logf("%.1f %% of a processor", 100*share)
	most := .2
	if raced {
		most = .4
	}
	assert.Less(t, share, most, "of a processor")
}

// again demands that a new client is served within a second.
func (s *site) again(t *testing.T, what string) {
	t.Helper()
	began := time.Now()
	var v visit
	require.True(t, await(time.Second+slack(), func() bool {
		v = s.client.visit(request{id: "again", fresh: true})
		return !v.failed()
	}), "no new client is served within a second after %s: %s", what, v)
	t.Logf("served %s after %s", time.Since(began).Round(time.Millisecond), what)
}

// More clients than there are file descriptors: those who are there are served, by
// backends that are reached and checked and with lines in the log; those who are too
// many cost nothing, and who comes when they have left is let in.
func TestScenario21TooManyClientsHarmNobodyWhoIsThere(t *testing.T) {
	s := newScarce(t, plan{backends: 2, role: role{Latency: thinks}})
	g := s.startRegulars(t, 40, 200*time.Millisecond)
	pause(warmUp)
	leave := s.mutes(t, 400-40)
	pause(200 * time.Millisecond)
	assert.Error(t, s.client.visit(request{id: "late", fresh: true}).err, "there is room for a client more")
	s.calm(t, lasts(2*time.Second, 8*time.Second))
	now := s.vitals(t)
	t.Logf("%v file descriptors, %v connections refused", now[descriptors], now.sum("trackgate_connections_refused_total"))
	assert.GreaterOrEqual(t, now.sum("trackgate_connections_refused_total"), float64(400-allowed), "refused connections")
	assert.Equal(t, 2.0, now.sum("trackgate_backend_up"), "backends that are up")
	leave()
	s.again(t, "the many left")
	r := g.stop()

	r.faultless(t, "requests of those who were there")
	assert.Len(t, r.backends(), 2)
	assert.GreaterOrEqual(t, s.logged(t).whole, len(r), "lines in the log")
	s.settle(t, r)
}

// Who asked and says nothing more gives its place to somebody who asks.
func TestScenario21IdleClientsMakeRoomForOthers(t *testing.T) {
	s := newScarce(t, plan{backends: 2, role: role{Latency: thinks}})
	g := s.startRegulars(t, 40, 200*time.Millisecond)
	var r report
	var idle [][]*line
	for round := range lasts(3, 10) {
		lines, visits := s.idlers(t, round, 60)
		r, idle = append(r, visits...), append(idle, lines)
		pause(1300 * time.Millisecond) // a second later they are idle
	}
	regular := g.stop()

	r.faultless(t, "requests of those who came")
	regular.faultless(t, "requests of those who were there")
	for round, lines := range idle[:len(idle)-1] {
		assert.GreaterOrEqual(t, shed(lines), 40+2*60-allowed, "of round %d that made room", round)
	}
	for _, lines := range idle {
		for _, l := range lines {
			l.Close()
		}
	}
	s.settle(t, append(r, regular...))
}

// idlers come, ask once, each at the same time, and stay.
func (s *site) idlers(t *testing.T, round, count int) ([]*line, report) {
	t.Helper()
	lines, r := make([]*line, count), make(report, count)
	var there sync.WaitGroup
	for i := range count {
		var err error
		lines[i], err = s.client.line(true)
		require.NoError(t, err)
		there.Go(func() {
			v := visit{request: request{id: fmt.Sprintf("i-%d-%d", round, i), post: true}, begin: time.Now()}
			_, v.err = lines[i].exchange(v.request, &v, time.Now().Add(s.client.within))
			v.end = time.Now()
			r[i] = v
		})
	}
	there.Wait()
	return lines, r
}

// shed counts the lines that the gate has closed.
func shed(lines []*line) (count int) {
	for _, l := range lines {
		l.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := l.in.ReadByte(); errors.Is(err, io.EOF) {
			count++
		}
	}
	return count
}

// The table of files is full all the same: of the whole machine, say. What is open is
// served, what cannot be accepted waits and costs nothing, and nobody takes a backend for
// dead because it could not be asked.
func TestScenario21AFullTableOfFilesIsNoBusyLoop(t *testing.T) {
	s := newScarce(t, plan{backends: 2, role: role{Latency: thinks}})
	g := s.startRegulars(t, 40, 200*time.Millisecond)
	pause(time.Second)
	s.limit(t, 3) // that are open stay open
	leave := s.mutes(t, 100)
	s.calm(t, lasts(2*time.Second, 8*time.Second))
	assert.Positive(t, strings.Count(s.process.Output(t), "too many open files"), "nothing wanted a file")
	leave()
	s.limit(t, scarce)
	s.again(t, "there was room in the table")
	r := g.stop()

	r.faultless(t, "requests of those who were there")
	assert.Zero(t, s.vitals(t).sum("trackgate_backend_taken_out_total"), "backends that were taken out")
	s.settle(t, r)
}

// limit changes how many files the gate may have.
func (s *site) limit(t *testing.T, files int) {
	t.Helper()
	run(t, "prlimit", fmt.Sprintf("--pid=%d", s.process.PID()), fmt.Sprintf("--nofile=%d:%d", files, scarce))
}

// A few clients who ask for very much at once, over HTTP/2, wait for each other; they take
// no file descriptors from those who ask for little.
func TestScenario21ManyStreamsTakeNoFilesFromOthers(t *testing.T) {
	s := newScarce(t, plan{backends: 2, role: role{Latency: 2 * thinks}})
	greedy := &client{address: s.address, tls: s.trust(t), within: time.Minute}
	g := s.startRegulars(t, 40, 200*time.Millisecond)
	pause(warmUp)
	var r report
	for round := range lasts(10, 100) {
		r = append(r, greedy.streams(round)...)
	}
	now := s.vitals(t)
	regular := g.stop()
	greedy.close()

	r.faultless(t, "streams")
	t.Logf("those who were there: %s; %v file descriptors", regular, now[descriptors])
	regular.faultless(t, "requests of those who were there")
	assert.LessOrEqual(t, now[descriptors], float64(2*allowed+scarce/10), "file descriptors")
	assert.Zero(t, now.sum("trackgate_backend_taken_out_total"), "backends that were taken out")
	assert.Zero(t, strings.Count(s.process.Output(t), "too many open files"), "wants of files")
	s.settle(t, append(r, regular...))
}

// atOncePerTrunk is how many streams a client opens at once on a connection, less than the
// gate allows.
const atOncePerTrunk = 90

// streams posts events at once, on all trunks.
func (c *client) streams(round int) report {
	r := make(report, atOncePerTrunk*keptTrunks)
	var there sync.WaitGroup
	for i := range r {
		there.Go(func() {
			r[i] = c.visit(request{id: fmt.Sprintf("h-%d-%d", round, i), post: true, http2: true})
		})
	}
	there.Wait()
	return r
}
