package cgroup

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	v2Mount = "31 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	v1Mount = "34 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
		"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	others = "23 1 8:1 / / rw - ext4 /dev/sda1 rw\n\nnonsense\n24 23 0:5 / /proc rw - proc proc rw\n"
	v1Max  = "9223372036854771712\n"
)

// tree is a file system with these files.
func tree(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

// machine is a file system with what the kernel says of the process, and these files.
func machine(groups, mounts string, files map[string]string) fstest.MapFS {
	root := tree(files)
	root["proc/self/cgroup"] = &fstest.MapFile{Data: []byte(groups)}
	root["proc/self/mountinfo"] = &fstest.MapFile{Data: []byte(others + mounts)}
	return root
}

func TestTheTightestLimitCounts(t *testing.T) {
	for name, row := range map[string]struct {
		groups, mounts string
		files          map[string]string
		want           Limit
	}{
		"a container of version 2 sees its own group as the topmost": {
			"0::/\n", v2Mount,
			map[string]string{"sys/fs/cgroup/memory.max": "536870912\n"},
			Limit{536870912, "/sys/fs/cgroup/memory.max"},
		},
		"a service of systemd below a narrower slice": {
			"0::/system.slice/trackgate.service\n", v2Mount,
			map[string]string{
				"sys/fs/cgroup/system.slice/trackgate.service/memory.max": "1000\n",
				"sys/fs/cgroup/system.slice/memory.max":                   "900\n",
			},
			Limit{900, "/sys/fs/cgroup/system.slice/memory.max"},
		},
		"a service below a wider slice": {
			"0::/a.slice/b.slice/c\n", v2Mount,
			map[string]string{
				"sys/fs/cgroup/a.slice/b.slice/c/memory.max": "max\n",
				"sys/fs/cgroup/a.slice/b.slice/memory.max":   "700\n",
				"sys/fs/cgroup/a.slice/memory.max":           "900\n",
				"sys/fs/cgroup/a.slice/other/memory.max":     "1\n",
			},
			Limit{700, "/sys/fs/cgroup/a.slice/b.slice/memory.max"},
		},
		"no limit in version 2": {
			"0::/user.slice\n", v2Mount, map[string]string{"sys/fs/cgroup/user.slice/memory.max": "max\n"}, Limit{},
		},
		"version 1 below a narrower pod": {
			"9:name=systemd:/\n4:memory:/kubepods/pod1/1f\n1:cpu:/\n", v1Mount,
			map[string]string{
				"sys/fs/cgroup/memory/kubepods/pod1/1f/memory.limit_in_bytes": v1Max,
				"sys/fs/cgroup/memory/kubepods/pod1/memory.limit_in_bytes":    "600\n",
				"sys/fs/cgroup/memory/kubepods/memory.limit_in_bytes":         v1Max,
				"sys/fs/cgroup/memory/memory.limit_in_bytes":                  v1Max,
				"sys/fs/cgroup/cpu/memory.limit_in_bytes":                     "1\n",
			},
			Limit{600, "/sys/fs/cgroup/memory/kubepods/pod1/memory.limit_in_bytes"},
		},
		"a container of version 1, whose mount begins at its own group": {
			"4:cpu,memory:/docker/1f\n", "35 31 0:32 /docker/1f /sys/fs/cgroup/memory ro - cgroup cgroup rw,cpu,memory\n",
			map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "800\n"},
			Limit{800, "/sys/fs/cgroup/memory/memory.limit_in_bytes"},
		},
		"no limit in version 1, with pages of 64 kB": {
			"4:memory:/\n", v1Mount, map[string]string{"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854710272\n"}, Limit{},
		},
		"both versions, as on a machine between the two": {
			"4:memory:/a\n0::/b\n", v1Mount + "36 31 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			map[string]string{
				"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "500\n",
				"sys/fs/cgroup/unified/b/memory.max":           "400\n",
			},
			Limit{400, "/sys/fs/cgroup/unified/b/memory.max"},
		},
		"a folder with a space and a colon": {
			"0::/a b:c\n", "31 23 0:26 / /sys/fs/c\\040group rw - cgroup2 cgroup2 rw\n",
			map[string]string{"sys/fs/c group/a b:c/memory.max": "300\n"},
			Limit{300, "/sys/fs/c group/a b:c/memory.max"},
		},
		"a group that another one's name begins with": {
			"0::/ab\n", "31 23 0:26 /a /elsewhere rw - cgroup2 cgroup2 rw\n" + v2Mount,
			map[string]string{"elsewhere/b/memory.max": "1\n", "elsewhere/memory.max": "1\n", "sys/fs/cgroup/ab/memory.max": "200\n"},
			Limit{200, "/sys/fs/cgroup/ab/memory.max"},
		},
		"a group outside of the namespace": {
			"0::/../other\n", v2Mount, map[string]string{"sys/fs/cgroup/memory.max": "1\n", "sys/fs/other/memory.max": "1\n"}, Limit{},
		},
		"a group that is not mounted": {
			"0::/a\n", "", map[string]string{"sys/fs/cgroup/a/memory.max": "1\n"}, Limit{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			limit, err := Memory(machine(row.groups, row.mounts, row.files))
			require.NoError(t, err)
			assert.Equal(t, row.want, limit)
		})
	}
}

func TestASystemWithoutGroupsHasNoLimit(t *testing.T) {
	limit, err := Memory(fstest.MapFS{})
	require.NoError(t, err)
	assert.Equal(t, Limit{}, limit)
}

func TestWhatCannotBeReadIsToldAndTheRestCounts(t *testing.T) {
	limit, err := Memory(machine("0::/a/b/c\n", v2Mount, map[string]string{
		"sys/fs/cgroup/a/b/c/memory.max": "-5\n",
		"sys/fs/cgroup/a/b/memory.max":   "much\n",
		"sys/fs/cgroup/a/memory.max":     "400\n",
	}))
	assert.EqualError(t, err, "/sys/fs/cgroup/a/b/c/memory.max: \"-5\" is no number of bytes\n"+
		"/sys/fs/cgroup/a/b/memory.max: \"much\" is no number of bytes")
	assert.Equal(t, Limit{400, "/sys/fs/cgroup/a/memory.max"}, limit)
}

func TestMountsThatAreMissingAreTold(t *testing.T) {
	_, err := Memory(tree(map[string]string{"proc/self/cgroup": "0::/\n"}))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// Whatever this machine is: reading it is no failure.
func TestThisMachineCanBeRead(t *testing.T) {
	limit, err := Memory(os.DirFS("/"))
	require.NoError(t, err)
	t.Logf("this process may have %d bytes, by %q", limit.Bytes, limit.File)
}

func TestUnescapeUndoesWhatTheKernelWrites(t *testing.T) {
	for escaped, plain := range map[string]string{
		``: ``, `/a`: `/a`, `/a\040b`: `/a b`, `\134`: `\`, `\04`: `\04`, `\999x`: `\999x`, `a\`: `a\`, `\777`: `\777`,
	} {
		assert.Equal(t, plain, unescape(escaped), "%s", escaped)
	}
}
