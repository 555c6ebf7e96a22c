package kubernetes

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"

	"github.com/trackgate/trackgate/configs"
)

func TestTheEdgeFitsTogether(t *testing.T) {
	i := kustomized(t, "examples/kubernetes")
	i.check(t)
	i.isEdge(t)
	require.Len(t, i.namespaces, 1)
	assert.Equal(t, "restricted", i.namespaces[0].Labels["pod-security.kubernetes.io/enforce"])
}

func TestTheEdgeWithAnAuthorityFitsTogether(t *testing.T) {
	i := kustomized(t, "examples/kubernetes-acme")
	i.check(t)
	i.isEdge(t)
	g := i.theGate(t)
	assert.Equal(t, configs.IssuerACME, g.settings.TLS.Issuer)
	for _, v := range g.pod.Volumes {
		assert.Nil(t, v.Secret, "certificates are not mounted")
	}
}

func TestTheSidecarFitsTogether(t *testing.T) {
	i := kustomized(t, "examples/sidecar")
	i.check(t)
	g := i.theGate(t)
	require.Len(t, g.pod.Containers, 2)
	behind := g.pod.Containers[1]
	last := behind.Lifecycle.PreStop.Sleep.Seconds
	assert.GreaterOrEqual(t, float64(last), (g.settings.Timeouts.Announce + g.settings.Timeouts.Drain).Seconds(),
		"the API outlives the gate")
	assert.Greater(t, *g.pod.TerminationGracePeriodSeconds, last)
	g.pod.Containers = []core.Container{g.container}
	g.pod.AutomountServiceAccountToken = new(bool) // the API's affair
	g.isRestricted(t)
}
