package tlsconf

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/require"
)

// writerFolder tells a copy of the test's own program where to write until it is killed.
const writerFolder = "TLSCONF_WRITER_FOLDER"

const kills = 200

// writeForEver puts one bundle after the other in place; what belongs together has the
// same number.
func writeForEver(folder string) {
	b := newBundles(&certmagic.FileStorage{Path: folder})
	padding := bytes.Repeat([]byte{' '}, 4<<10)
	for n := 0; ; n++ {
		for _, key := range []string{keyOfOne, chainOfOne, metaOfOne} {
			if err := b.Store(context.Background(), key, append(fmt.Appendf(nil, "%d", n), padding...)); err != nil {
				panic(err)
			}
		}
		if n == 0 {
			fmt.Println("begun")
		}
	}
}

// However a writer is killed, the key is that of the chain, and both can be read.
func TestNoKillLeavesHalfACertificate(t *testing.T) {
	if folder := os.Getenv(writerFolder); folder != "" {
		writeForEver(folder)
	}
	folder := t.TempDir()
	seen := map[string]bool{}
	for range kills {
		killWriter(t, folder)
		bundle, _ := site(chainOfOne)
		whole, err := newBundles(&certmagic.FileStorage{Path: folder}).open(t.Context(), bundle)
		require.NoError(t, err)
		number := bytes.TrimSpace(whole[".key"])
		require.Equal(t, string(number), string(bytes.TrimSpace(whole[".crt"])))
		require.Equal(t, string(number), string(bytes.TrimSpace(whole[".json"])))
		seen[string(number)] = true
	}
	require.Greater(t, len(seen), 1, "kills at different points: how many depends on the machine")
}

// killWriter starts a writer and kills it at some point.
func killWriter(t *testing.T, folder string) {
	t.Helper()
	writer := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.count", "1")
	writer.Env = append(os.Environ(), writerFolder+"="+folder)
	output, err := writer.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, writer.Start())
	_, err = output.Read(make([]byte, 1))
	require.NoError(t, err)
	<-time.After(time.Duration(rand.Int64N(int64(15 * time.Millisecond))))
	require.NoError(t, writer.Process.Kill())
	writer.Wait() //nolint:errcheck // it was killed
}
