package kubernetes

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	security "k8s.io/pod-security-admission/policy"

	"github.com/trackgate/trackgate/configs"
)

// margin is what a pod has at least between the end of its drain and its being killed.
const margin = 5 * time.Second

// gate is the one Deployment of an installation and its container with the gate.
type gate struct {
	deployment apps.Deployment
	pod        core.PodSpec
	container  core.Container
	settings   *configs.Settings
	secret     string // the folder that stands for /tls
}

// theGate finds the gate of an installation and reads its settings.
func (i *installation) theGate(t *testing.T) gate {
	t.Helper()
	require.Len(t, i.deployments, 1)
	g := gate{deployment: i.deployments[0], pod: i.deployments[0].Spec.Template.Spec}
	at := slices.IndexFunc(g.pod.Containers, func(c core.Container) bool { return c.Name == "trackgate" })
	require.GreaterOrEqual(t, at, 0)
	g.container = g.pod.Containers[at]
	require.Equal(t, []string{"run", "-c", "/etc/trackgate/trackgate.yaml"}, g.container.Args)
	g.secret = t.TempDir()
	for _, name := range []string{"tls.crt", "tls.key"} {
		require.NoError(t, os.WriteFile(filepath.Join(g.secret, name), nil, 0o600))
	}
	text := strings.ReplaceAll(i.mounted(t, g), "/tls/", g.secret+"/")
	settings, err := configs.Parse("trackgate.yaml", []byte(text), g.environment())
	require.NoError(t, err)
	g.settings = settings
	return g
}

// mounted is the file in the ConfigMap that is mounted where the gate looks for it.
func (i *installation) mounted(t *testing.T, g gate) string {
	t.Helper()
	volumes := map[string]core.Volume{}
	for _, v := range g.pod.Volumes {
		volumes[v.Name] = v
	}
	for _, m := range g.container.VolumeMounts {
		require.Contains(t, volumes, m.Name)
		if m.MountPath != "/etc/trackgate" {
			continue
		}
		for _, s := range i.settings {
			if s.Name == volumes[m.Name].ConfigMap.Name {
				return s.Data["trackgate.yaml"]
			}
		}
	}
	require.Fail(t, "no settings are mounted")
	return ""
}

// environment is what the container finds. A Secret that is named has what the
// settings may ask for.
func (g gate) environment() []string {
	var variables []string
	for _, v := range g.container.Env {
		variables = append(variables, v.Name+"="+v.Value)
	}
	if len(g.container.EnvFrom) > 0 {
		variables = append(variables, "REDIS_PASSWORD=secret", "REDIS_ENCRYPTION_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	}
	return variables
}

// check holds the objects of an installation against each other.
func (i *installation) check(t *testing.T) {
	t.Helper()
	g := i.theGate(t)
	g.isProbed(t)
	g.hasTimeToDrain(t)
	g.mountsItsFiles(t)
	g.isBounded(t)
	i.leadsTo(t, g)
	i.selects(t, g)
}

// isRestricted asks the judge that admits pods to a namespace.
func (g gate) isRestricted(t *testing.T) {
	t.Helper()
	judge, err := security.NewEvaluator(security.DefaultChecks(), nil)
	require.NoError(t, err)
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range judge.EvaluatePod(level, &g.deployment.Spec.Template.ObjectMeta, &g.pod) {
		assert.True(t, result.Allowed, "%s: %s", result.ForbiddenReason, result.ForbiddenDetail)
	}
	require.NotNil(t, g.pod.AutomountServiceAccountToken)
	assert.False(t, *g.pod.AutomountServiceAccountToken)
}

func (g gate) isProbed(t *testing.T) {
	t.Helper()
	for path, probe := range map[string]*core.Probe{"/livez": g.container.LivenessProbe, "/readyz": g.container.ReadinessProbe} {
		require.NotNil(t, probe, path)
		assert.Equal(t, path, probe.HTTPGet.Path)
		assert.Equal(t, "admin", probe.HTTPGet.Port.StrVal)
	}
	assert.Equal(t, g.settings.Admin.Address, ":"+portText(g.port(t, "admin")), "where the kubelet asks")
}

// port is the number of a port of the container.
func (g gate) port(t *testing.T, name string) int32 {
	t.Helper()
	for _, p := range g.container.Ports {
		if p.Name == name {
			return p.ContainerPort
		}
	}
	require.Fail(t, "no port is called "+name)
	return 0
}

func (g gate) hasTimeToDrain(t *testing.T) {
	t.Helper()
	require.NotNil(t, g.container.Lifecycle, "what is sent after SIGTERM is lost")
	announce := g.settings.Timeouts.Announce
	assert.GreaterOrEqual(t, announce, 5*time.Second)
	assert.Equal(t, []string{"/usr/local/bin/trackgate", "drain", "--wait", announce.String()}, g.container.Lifecycle.PreStop.Exec.Command)
	grace := time.Duration(*g.pod.TerminationGracePeriodSeconds) * time.Second
	assert.GreaterOrEqual(t, grace, announce+g.settings.Timeouts.Drain+margin)
}

// mountsItsFiles: the root is read-only and has no certificates.
func (g gate) mountsItsFiles(t *testing.T) {
	t.Helper()
	var mounts []string
	for _, m := range g.container.VolumeMounts {
		mounts = append(mounts, m.MountPath)
	}
	assert.True(t, *g.container.SecurityContext.ReadOnlyRootFilesystem)
	for _, f := range g.settings.TLS.Files {
		assert.Equal(t, g.secret, filepath.Dir(f.Certificate))
		assert.Contains(t, mounts, "/tls")
	}
	assert.Contains(t, mounts, filepath.Dir(g.settings.Admin.Socket))
	if g.settings.TLS.Issuer != configs.IssuerNone {
		assert.Contains(t, mounts, g.settings.TLS.Storage)
	}
	if replicas := g.deployment.Spec.Replicas; g.settings.TLS.Issuer == configs.IssuerACME && (replicas == nil || *replicas > 1) {
		assert.NotEmpty(t, g.settings.TLS.Redis.Address, "several replicas with ACME share a Redis")
	}
}

func (g gate) isBounded(t *testing.T) {
	t.Helper()
	assert.False(t, g.container.Resources.Limits.Memory().IsZero(), "a limit of memory, of which the gate takes 80 %%")
	assert.False(t, g.container.Resources.Requests.Cpu().IsZero())
}

// labels says whether the pod has all of these.
func (g gate) labels(t *testing.T, selector map[string]string) {
	t.Helper()
	require.NotEmpty(t, selector)
	has := g.deployment.Spec.Template.Labels
	for _, key := range slices.Sorted(maps.Keys(selector)) {
		assert.Equal(t, selector[key], has[key], "label %s of the pod", key)
	}
}
