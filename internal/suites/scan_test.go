//go:build suites

package suites

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A scanner finds nothing of medium weight or above in what a gate offers.
func TestScannersFindNothing(t *testing.T) {
	needs(t, "testssl", "sslscan")
	e := newEdge(t, access{})
	t.Run("testssl", func(t *testing.T) { e.testssl(t) })
	t.Run("sslscan", func(t *testing.T) { e.sslscan(t) })
}

// remark is what testssl has to say of one thing.
type remark struct{ ID, Severity, Finding string }

func (e *edge) testssl(t *testing.T) {
	file := filepath.Join(t.TempDir(), "testssl.json")
	output, err := run(t, "testssl", "--quiet", "--color", "0", "--warnings", "off", "--add-ca", e.ca(), "--jsonfile", file,
		"-p", "-s", "-f", "-S", "-U", "--ip", "127.0.0.1", e.url("/"))
	text, read := os.ReadFile(file)
	require.NoError(t, read, "testssl: %v\n%s", err, output)
	var remarks []remark
	require.NoError(t, json.Unmarshal(text, &remarks), "%s", text)
	require.Greater(t, len(remarks), 50, "it looked at all there is")
	for _, r := range remarks {
		// The CA of the gate's own revokes nothing, so it tells of no place to ask.
		if slices.Contains([]string{"MEDIUM", "HIGH", "CRITICAL"}, r.Severity) && r.ID != "cert_revocation" {
			t.Errorf("%s %s: %s", r.Severity, r.ID, r.Finding)
		}
	}
}

// scan is what sslscan finds.
type scan struct {
	Test struct {
		Protocols []struct {
			Kind    string `xml:"type,attr"`
			Version string `xml:"version,attr"`
			Enabled int    `xml:"enabled,attr"`
		} `xml:"protocol"`
		Renegotiation struct {
			Supported int `xml:"supported,attr"`
		} `xml:"renegotiation"`
		Ciphers []struct {
			Name string `xml:"cipher,attr"`
		} `xml:"cipher"`
		Heartbleed []struct {
			Vulnerable int `xml:"vulnerable,attr"`
		} `xml:"heartbleed"`
	} `xml:"ssltest"`
}

func (e *edge) sslscan(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sslscan.xml")
	output, err := run(t, "sslscan", "--no-colour", "--sni-name=localhost", "--xml="+file, e.address)
	require.NoError(t, err, "%s", output)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var s scan
	require.NoError(t, xml.Unmarshal(text, &s))
	var spoken []string
	for _, p := range s.Test.Protocols {
		if p.Enabled == 1 {
			spoken = append(spoken, p.Kind+" "+p.Version)
		}
	}
	assert.Equal(t, []string{"tls 1.2", "tls 1.3"}, spoken)
	assert.Zero(t, s.Test.Renegotiation.Supported)
	require.NotEmpty(t, s.Test.Ciphers)
	for _, c := range s.Test.Ciphers {
		assert.Regexp(t, "GCM|CHACHA20", c.Name)
	}
	for _, h := range s.Test.Heartbleed {
		assert.Zero(t, h.Vulnerable)
	}
}
