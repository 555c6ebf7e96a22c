package tlsconf

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/configs"
)

const many = 10_000

// manyDelivered puts certificates of an authority for so many hosts into a storage.
func manyDelivered(b *testing.B) (configs.TLS, []configs.Listener) {
	b.Helper()
	settings, root := ordered(b.TempDir()), newRoot(b)
	hosts := make([]string, many)
	key := authoritiesOf(settings.ACME)[0].key()
	for i := range hosts {
		hosts[i] = fmt.Sprintf("h%d.example.com", i)
		certPEM, keyPEM := root.sign(b, order{hosts: hosts[i : i+1]})
		text, err := json.Marshal(map[string][]byte{".crt": certPEM, ".key": keyPEM, ".json": []byte(`{}`)})
		require.NoError(b, err)
		bundle, _ := site(certmagic.StorageKeys.SiteCert(key, hosts[i]))
		file := filepath.Join(settings.Storage, filepath.FromSlash(bundle))
		require.NoError(b, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(b, os.WriteFile(file, text, 0o600)) // unlike the storage, which waits for the disk
	}
	return settings, listening(hosts...)
}

// heapNow returns the bytes that are in use.
func heapNow() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// What a start with ten thousand certificates takes, what one costs in memory with all
// that renews it, and what a handshake has to do to find one.
func BenchmarkTenThousandCertificates(b *testing.B) {
	settings, listeners := manyDelivered(b)
	before, began := heapNow(), time.Now()
	k, err := New(settings, listeners, (&log{}).logger().Level(5))
	require.NoError(b, err)
	require.Empty(b, k.Missing())
	started := time.Since(began)
	ctx, end := context.WithCancel(b.Context())
	stop := k.managed.start(ctx, usualPace())
	defer func() {
		end()
		stop()
	}()
	require.Eventually(b, func() bool { return k.managed.renewing() == many }, time.Minute, 10*time.Millisecond)
	perCertificate := float64(heapNow()-before) / many
	hello := &tls.ClientHelloInfo{ServerName: "h5000.example.com", SupportedVersions: []uint16{tls.VersionTLS13}}
	b.ResetTimer()
	for b.Loop() {
		if cert, _ := k.certificate(hello); cert == nil {
			b.Fatal("none")
		}
	}
	b.ReportMetric(perCertificate, "B/certificate")
	b.ReportMetric(started.Seconds(), "s/start")
}

// renewing returns how many certificates certmagic looks after.
func (m *managed) renewing() int {
	n := 0
	for _, host := range m.hosts() {
		n += len(m.cache.AllMatchingCertificates(host))
	}
	return n
}
