package container

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// top is the folder of the whole project.
var top = filepath.Join("..", "..", "..")

// instruction is a line of a Dockerfile: "RUN" and what follows.
type instruction struct{ name, rest string }

// stage is what follows a FROM, which is its first instruction.
type stage []instruction

// all returns what follows each instruction of that name.
func (s stage) all(name string) []string {
	var found []string
	for _, i := range s {
		if i.name == name {
			found = append(found, i.rest)
		}
	}
	return found
}

// one returns what follows the only instruction of that name.
func (s stage) one(t *testing.T, name string) string {
	t.Helper()
	found := s.all(name)
	require.Len(t, found, 1, name)
	return found[0]
}

// list reads what follows ENTRYPOINT and CMD: without a shell it has to be JSON.
func (s stage) list(t *testing.T, name string) []string {
	t.Helper()
	var words []string
	require.NoError(t, json.Unmarshal([]byte(s.one(t, name)), &words), name)
	return words
}

// stages reads the Dockerfile.
func stages(t *testing.T) []stage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "Dockerfile"))
	require.NoError(t, err)
	var found []stage
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case name == "" || strings.HasPrefix(name, "#"):
			continue
		case name == "FROM":
			found = append(found, stage{})
		}
		require.NotEmpty(t, found, "%s before FROM", name)
		last := &found[len(found)-1]
		*last = append(*last, instruction{name, strings.TrimSpace(rest)})
	}
	return found
}

// image is the stage that is kept.
func image(t *testing.T) stage {
	t.Helper()
	all := stages(t)
	return all[len(all)-1]
}

func TestTheImageBeginsWithNothing(t *testing.T) {
	assert.Equal(t, "scratch", image(t).one(t, "FROM"))
	assert.Empty(t, image(t).all("RUN"), "there is no shell")
}

func TestTheImageIsForAnybodyButRoot(t *testing.T) {
	// A number, as names are not known in there, and Kubernetes can't tell who a name is.
	assert.Regexp(t, regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`), image(t).one(t, "USER"))
}

func TestTheImageHasAVolumeForWhatIsKept(t *testing.T) {
	i := image(t)
	assert.Equal(t, "/var/lib/trackgate", i.one(t, "VOLUME"))
	var owned bool
	for _, c := range i.all("COPY") {
		owned = owned || strings.HasSuffix(c, " /var/lib/trackgate") && strings.Contains(c, "--chown="+i.one(t, "USER"))
	}
	assert.True(t, owned, "the volume is its user's")
}

func TestTheImageStartsTheGateWithoutAShell(t *testing.T) {
	i := image(t)
	assert.Equal(t, []string{"/usr/local/bin/trackgate"}, i.list(t, "ENTRYPOINT"))
	assert.Equal(t, []string{"run", "-c", "/etc/trackgate/trackgate.yaml"}, i.list(t, "CMD"))
}

func TestTheImageIsBuiltStatically(t *testing.T) {
	var builds []string
	for _, run := range stages(t)[0].all("RUN") {
		if strings.Contains(run, "make build") || strings.Contains(run, "go build") {
			builds = append(builds, run)
		}
	}
	require.Len(t, builds, 1)
	assert.Contains(t, strings.Fields(builds[0]), "CGO_ENABLED=0")
}

// The version of Go is that of the module: an older one would not build it.
func TestTheImageIsBuiltByTheGoOfTheModule(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(top, "go.mod"))
	require.NoError(t, err)
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)
	assert.Contains(t, stages(t)[0].one(t, "FROM"), "golang:"+string(version[1])+" ")
}
