package tlsconf

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

// still is a pace at which nothing happens but what a test is about.
func still() pace {
	return pace{settle: time.Millisecond, poll: time.Hour, tend: time.Hour, rotate: time.Hour, warn: time.Hour, look: time.Hour}
}

// running starts Run and ends it with the test.
func running(t *testing.T, k *Keeper, p pace) {
	k.pace = p
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
}

// changes waits until the handshakes of g get another certificate than serial.
func changes(t *testing.T, g *gate, serial string) {
	require.Eventually(t, func() bool {
		_, now := shownFor(g.keeper, "track.example.com")
		return now != serial
	}, 5*time.Second, 5*time.Millisecond)
	state := g.ok(t, g.client("track.example.com"))
	require.NotEqual(t, serial, state.PeerCertificates[0].SerialNumber.String())
}

func TestNewFilesAreServedWithinSeconds(t *testing.T) {
	g := newGate(t)
	running(t, g.keeper, usualPace())
	files := g.keeper.pairs[0].files
	_, serial := shownFor(g.keeper, "track.example.com")

	// Run may not watch yet: write until it has seen one.
	certPEM, keyPEM := g.root.sign(t, order{hosts: append(track().Hosts, gui().Hosts...)})
	require.Eventually(t, func() bool {
		put(t, files.Certificate, certPEM)
		put(t, files.Key, keyPEM)
		_, now := shownFor(g.keeper, "track.example.com")
		return now != serial
	}, 5*time.Second, 100*time.Millisecond)
	g.ok(t, g.client("track.example.com"))
}

func TestPollFindsWhatNobodyTold(t *testing.T) {
	g := newGate(t)
	p := still()
	p.settle, p.poll = time.Hour, 10*time.Millisecond
	running(t, g.keeper, p)
	_, serial := shownFor(g.keeper, "track.example.com")
	g.root.pair(t, filepath.Dir(g.keeper.pairs[0].files.Certificate), "tls", order{hosts: append(track().Hosts, gui().Hosts...)})
	changes(t, g, serial)
}

// A Secret in Kubernetes: tls.crt -> ..data/tls.crt, ..data -> a folder with a
// date; a new folder is written and ..data replaced by rename.
func TestSecretOfKubernetesIsFollowed(t *testing.T) {
	root, mount := newRoot(t), t.TempDir()
	publishSecret := func(version string) {
		require.NoError(t, os.Mkdir(filepath.Join(mount, version), 0o700))
		root.pair(t, filepath.Join(mount, version), "tls", order{hosts: track().Hosts})
		require.NoError(t, os.Symlink(version, filepath.Join(mount, "..data_tmp")))
		require.NoError(t, os.Rename(filepath.Join(mount, "..data_tmp"), filepath.Join(mount, "..data")))
	}
	publishSecret("..2026_01")
	files := configs.KeyPair{Certificate: filepath.Join(mount, "tls.crt"), Key: filepath.Join(mount, "tls.key")}
	require.NoError(t, os.Symlink("..data/tls.crt", files.Certificate))
	require.NoError(t, os.Symlink("..data/tls.key", files.Key))
	k, err := New(configs.TLS{Files: []configs.KeyPair{files}}, []configs.Listener{track()}, (&log{}).logger())
	require.NoError(t, err)
	g := serve(t, &gate{keeper: k, root: root}, []configs.Listener{track()})
	_, serial := shownFor(k, "track.example.com")

	k.pace = still()
	w := k.watchFolders()
	defer w.close()
	publishSecret("..2026_02")
	for told := false; !told; { // the swap itself is seen, not only the files
		select {
		case event := <-w.changed():
			told = filepath.Base(event.Name) == "..data"
		case <-time.After(5 * time.Second):
			t.Fatal("nobody told of the swap")
		}
	}
	require.NoError(t, os.RemoveAll(filepath.Join(mount, "..2026_01")))
	k.refresh()
	changes(t, g, serial)
}

func TestFolderThatWasReplacedIsWatchedAgain(t *testing.T) {
	g := newGate(t)
	folder := filepath.Dir(g.keeper.pairs[0].files.Certificate)
	p := still()
	p.poll = 10 * time.Millisecond
	running(t, g.keeper, p)
	_, serial := shownFor(g.keeper, "track.example.com")

	require.NoError(t, os.Rename(folder, folder+".old"))
	require.NoError(t, os.Mkdir(folder, 0o700))
	g.root.pair(t, folder, "tls", order{hosts: append(track().Hosts, gui().Hosts...)})
	changes(t, g, serial)
}

func TestRunRotatesTicketKeysAndRenews(t *testing.T) {
	now := &clock{at: time.Now()}
	k, err := newKeeper(internalCA(t.TempDir()), []configs.Listener{track()}, (&log{}).logger(), now.now)
	require.NoError(t, err)
	keys := k.tickets[0].keys.Load()
	end := k.Certificates()[0].NotAfter
	now.forward(70 * 24 * time.Hour)
	p := still()
	p.tend, p.rotate = 5*time.Millisecond, 5*time.Millisecond
	running(t, k, p)

	require.Eventually(t, func() bool { return k.tickets[0].keys.Load() != keys }, 5*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return k.Certificates()[0].NotAfter.After(end) }, 5*time.Second, time.Millisecond)
}

func TestRunWithoutFolderSaysSo(t *testing.T) {
	g := newGate(t)
	require.NoError(t, os.RemoveAll(filepath.Dir(g.keeper.pairs[0].files.Certificate)))
	running(t, g.keeper, still())
	require.Eventually(t, func() bool {
		return len(g.log.String()) > 0
	}, 5*time.Second, time.Millisecond)
	require.Contains(t, g.log.String(), "certificate folders cannot be watched")
	g.ok(t, g.client("track.example.com"))
}
