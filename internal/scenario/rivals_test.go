//go:build scenario

package scenario

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"text/template"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"

	"github.com/trackgate/trackgate/internal/program"
)

// rival is a proxy in front of the backends of a site. All are asked to do the same
// under the same load, each by the means and with the settings that its manual
// recommends for that.
type rival interface {
	// start returns when it listens at the site's address.
	start(t *testing.T)
	// reload has it use so many of the backends.
	reload(t *testing.T, backends int)
	// upgrade has the program be started anew and take over.
	upgrade(t *testing.T)
	// leave begins the graceful end of a process, and returns its number.
	leave(t *testing.T) (pid int)
	// ready is what a load balancer in front of it hears.
	ready() bool
}

// ours is the gate as one of them.
type ours struct {
	*site
	original string
}

func (o *ours) start(t *testing.T) {
	o.run(t, plan{further: further{sections: "timeouts: {announce: 2s}\n"}})
	text, err := os.ReadFile(o.file)
	require.NoError(t, err)
	o.original = string(text)
}

func (o *ours) reload(t *testing.T, backends int) {
	some := strings.Join(strings.Split(o.entries(), ", ")[:backends], ", ")
	o.rewrite(t, o.original, o.entries(), some)
	o.site.reload(t)
}

func (o *ours) upgrade(t *testing.T) { o.site.upgrade(t) }

func (o *ours) leave(*testing.T) (pid int) {
	o.leaves()
	return o.process.PID()
}

// stage is what a rival's settings are made from.
type stage struct {
	*site
	Folder   string
	Address  string
	Binary   string
	Backends []string
	Root     bool // nginx would give up its rights otherwise
	pair     pair
}

// newStage finds a rival's program, or skips.
func newStage(t *testing.T, s *site, name string) *stage {
	t.Helper()
	binary, err := exec.LookPath(name)
	if err != nil {
		binary, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		t.Skipf("there is no %s: make install-bench-tools", name)
	}
	g := &stage{site: s, Folder: t.TempDir(), Address: s.address, Binary: binary, Root: os.Geteuid() == 0}
	g.pair = newPair(t, g.Folder)
	s.client = &client{address: s.address, tls: g.pair.trust(), within: time.Minute}
	t.Cleanup(s.client.close)
	return g
}

func (g *stage) settings() string { return filepath.Join(g.Folder, "settings") }

// write makes the settings, with so many of the backends.
func (g *stage) write(t *testing.T, text string, backends int) {
	t.Helper()
	g.Backends = nil
	for _, b := range g.backends[:backends] {
		g.Backends = append(g.Backends, b.Address)
	}
	file, err := os.Create(g.settings())
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, template.Must(template.New("settings").Parse(text)).Execute(file, g))
}

// ready is all that who looks from outside can see of a rival.
func (g *stage) ready() bool {
	conn, err := net.Dial("tcp", g.Address)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// children are the processes that one has started and that have not ended.
func children(t *testing.T, pid int) map[int]bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	require.NoError(t, err)
	found := map[int]bool{}
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		require.NoError(t, err)
		found[child] = true
	}
	return found
}

// renewed does something that has a process start others, and waits for these.
func renewed(t *testing.T, pid int, do func()) {
	t.Helper()
	before := children(t, pid)
	do()
	require.True(t, await(recovery, func() bool {
		for child := range children(t, pid) {
			if !before[child] {
				return true
			}
		}
		return false
	}), "process %d starts no others", pid)
}

// act is what a rival does under load.
type act struct {
	name   string
	rounds int // each with another process
	play   func(*testing.T, rival, *load)
}

func acts() []act {
	return []act{
		{"20 reloads", 1, func(t *testing.T, r rival, _ *load) {
			for i := range 20 {
				r.reload(t, 2+i%2)
				pause(1500 * time.Millisecond)
			}
		}},
		{"5 upgrades", 1, func(t *testing.T, r rival, _ *load) {
			for range 5 {
				r.upgrade(t)
				pause(6 * time.Second)
			}
		}},
		{"5 ends", 5, func(t *testing.T, r rival, l *load) {
			pid := r.leave(t)
			unready(t, r.ready)
			pause(heeds)
			l.cease()
			assert.True(t, await(recovery, func() bool { return program.IsGone(pid) }), "process %d does not end", pid)
		}},
	}
}

// TestRivalsBesideTheGate counts what nginx and HAProxy lose where the gate must not
// lose anything. It demands nothing of them.
func TestRivalsBesideTheGate(t *testing.T) {
	if !soak() {
		t.Skip("only in the long form")
	}
	var table strings.Builder
	lines := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(lines, "proxy\tact\trequests\tfailed\trefused\tcut\tnot looked at\t5xx\tp50\tp99\tmax")
	for _, name := range []string{"trackgate", "nginx", "haproxy"} {
		for _, a := range acts() {
			t.Run(name+" "+a.name, func(t *testing.T) {
				var r report
				for range a.rounds {
					r = append(r, perform(t, name, a)...)
				}
				if name == "trackgate" {
					r.faultless(t, "requests")
				}
				fmt.Fprintf(lines, "%s\t%s\t%s\n", name, a.name, r.losses())
			})
		}
	}
	lines.Flush()
	t.Logf("\n%s", &table)
}

// perform has a rival play an act once.
func perform(t *testing.T, name string, a act) report {
	t.Helper()
	s := newBackends(t, plan{backends: 3, role: role{Latency: thinks}})
	var r rival = &ours{site: s}
	switch name {
	case "nginx":
		r = &nginx{stage: newStage(t, s, name)}
	case "haproxy":
		r = &haproxy{stage: newStage(t, s, name)}
	}
	r.start(t)
	l := s.load(t, heavy())
	pause(baseline)
	a.play(t, r, l)
	if a.rounds == 1 {
		l.cease()
	}
	found := l.rest()
	found.unmixed(t)
	return found
}

// losses are a line of the table.
func (r report) losses() string {
	kinds := map[string]int{}
	for _, v := range r.failed() {
		kinds[v.loss()]++
	}
	short := func(share float64) time.Duration { return r.quantile(share).Round(100 * time.Microsecond) }
	return fmt.Sprintf("%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s", len(r), len(r.failed()), kinds["refused"], kinds["cut"], kinds["not looked at"],
		kinds["answered"], short(.5), short(.99), short(1))
}

// wentAway is what a trunk says of a request that came behind the last one that the
// proxy has looked at.
const wentAway = "http2: Transport received Server's graceful shutdown GOAWAY"

// loss says in which way a visit failed. Who was not looked at may ask again, whatever
// it was, and most clients do (RFC 9113 section 6.8); who was cut cannot know.
func (v visit) loss() string {
	var reset http2.StreamError
	switch {
	case v.err == nil:
		return "answered"
	case errors.Is(v.err, syscall.ECONNREFUSED):
		return "refused"
	case v.err.Error() == wentAway, errors.As(v.err, &reset) && reset.Code == http2.ErrCodeRefusedStream:
		return "not looked at"
	}
	return "cut"
}

// pidIn reads the number of a process from a file; 0 is none yet.
func pidIn(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0 if it is being written
	return pid
}
