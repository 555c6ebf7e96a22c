package caa

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/trackgate/trackgate/internal/testdns"
)

func TestWhoMaySign(t *testing.T) {
	for name, row := range map[string]struct {
		host, at string
		records  []string
		want     string // why our.ca may not
	}{
		"no records":             {"a.b.test", "", nil, ""},
		"we":                     {"a.b.test", "a.b.test", []string{`0 issue "our.ca"`}, ""},
		"we among others":        {"a.b.test", "a.b.test", []string{`0 issue "other.ca"`, `0 issue "our.ca"`}, ""},
		"case and parameters":    {"A.b.test", "a.b.test", []string{`0 ISSUE " Our.CA ; accounturi=https://our.ca/1"`}, ""},
		"another":                {"a.b.test", "a.b.test", []string{`0 issue "other.ca"`}, "the CAA records of a.b.test let only other.ca sign"},
		"up the tree":            {"a.b.test", "test", []string{`0 issue "other.ca"`}, "the CAA records of test let only other.ca sign"},
		"nobody":                 {"a.b.test", "b.test", []string{`0 issue ";"`}, "the CAA records of b.test let nobody sign"},
		"a wildcard, by issue":   {"*.b.test", "b.test", []string{`0 issue "other.ca"`}, "the CAA records of b.test let only other.ca sign"},
		"a wildcard, by its own": {"*.b.test", "b.test", []string{`0 issue "other.ca"`, `0 issuewild "our.ca"`}, ""},
		"no wildcards":           {"*.b.test", "b.test", []string{`0 issue "our.ca"`, `0 issuewild ";"`}, "the CAA records of b.test let nobody sign"},
		"wildcards elsewhere":    {"a.b.test", "b.test", []string{`0 issuewild "other.ca"`}, ""},
		"where to write to":      {"a.b.test", "b.test", []string{`128 iodef "mailto:a@b.test"`}, ""},
		"something unknown":      {"a.b.test", "b.test", []string{`0 tbs "x"`, `0 issue "our.ca"`}, ""},
		"something critical": {"a.b.test", "b.test", []string{`128 tbs "x"`, `0 issue "our.ca"`},
			`the CAA records of b.test have a critical property "tbs" that authorities may not know`},
	} {
		server := testdns.Start(t)
		if row.at != "" {
			server.Set(row.at, "CAA", 60, row.records...)
		}
		policy, err := Find(t.Context(), []string{server.Addr}, row.host)
		require.NoError(t, err, name)
		assert.Equal(t, row.want, policy.Forbids([]string{"first.ca", "OUR.ca"}), name)
	}
}

// An empty set at the host does not end the search, and one that fails does.
func TestTheNearestRecordsHold(t *testing.T) {
	server := testdns.Start(t)
	server.Set("a.b.test", "CAA", 60)
	server.Set("b.test", "CAA", 60, `0 issue "our.ca"`)
	server.Set("test", "CAA", 60, `0 issue "other.ca"`)
	policy, err := Find(t.Context(), []string{server.Addr}, "a.b.test")
	require.NoError(t, err)
	assert.Equal(t, "b.test", policy.Domain)

	server.Fail("b.test", "SERVFAIL")
	_, err = Find(t.Context(), []string{server.Addr}, "a.b.test")
	require.EqualError(t, err, "CAA of b.test.: "+server.Addr+" says SERVFAIL")
}

func TestTheNextServerIsAsked(t *testing.T) {
	refuses, silent, server := testdns.Start(t), testdns.Start(t), testdns.Start(t)
	refuses.Fail("a.test", "REFUSED")
	server.Set("a.test", "CAA", 60, `0 issue "other.ca"`)
	server.Truncate("a.test")
	policy, err := Find(t.Context(), []string{"127.0.0.1:1", refuses.Addr, server.Addr}, "a.test")
	require.NoError(t, err)
	assert.NotEmpty(t, policy.Forbids([]string{"our.ca"}))

	silent.Silence("a.test")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = Find(ctx, []string{silent.Addr}, "a.test")
	require.ErrorContains(t, err, "CAA of a.test.")
	_, err = Find(t.Context(), nil, "a.test")
	require.EqualError(t, err, "CAA of a.test.: there is no server to ask")
}

func TestServersOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "resolv.conf")
	_, err := Servers(file)
	require.Error(t, err)
	require.NoError(t, os.WriteFile(file, []byte("nameserver 192.0.2.1\nnameserver 2001:db8::1\n"), 0o600))
	servers, err := Servers(file)
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.1:53", "[2001:db8::1]:53"}, servers)
}
