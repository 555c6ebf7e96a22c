package kubernetes

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
)

func portText(port int32) string { return strconv.Itoa(int(port)) }

// listening names the ports of the container that a listener of the settings has.
func (g gate) listening() []string {
	var names []string
	for _, p := range g.container.Ports {
		for _, l := range g.settings.Listeners {
			if strings.HasSuffix(l.Address, ":"+portText(p.ContainerPort)) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

// leadsTo checks the ways in: Services lead to listeners, and the policy lets through
// what they lead to, to everybody, and the admin address to somebody.
func (i *installation) leadsTo(t *testing.T, g gate) {
	t.Helper()
	require.Len(t, i.services, 1)
	var served []string
	for _, p := range i.services[0].Spec.Ports {
		served = append(served, p.TargetPort.StrVal)
		assert.Contains(t, g.listening(), p.TargetPort.StrVal, "the target of %s", p.Name)
	}
	for _, p := range i.policies {
		open, narrow := entries(p)
		assert.ElementsMatch(t, served, open, "open to everybody")
		for _, name := range append(open, narrow...) {
			g.port(t, name)
		}
		assert.NotContains(t, open, "admin")
	}
}

// entries names the ports that a policy opens to everybody and to some.
func entries(p networking.NetworkPolicy) (open, narrow []string) {
	for _, rule := range p.Spec.Ingress {
		for _, port := range rule.Ports {
			if len(rule.From) == 0 {
				open = append(open, port.Port.StrVal)
			} else {
				narrow = append(narrow, port.Port.StrVal)
			}
		}
	}
	return open, narrow
}

// selects checks that all that selects pods selects these.
func (i *installation) selects(t *testing.T, g gate) {
	t.Helper()
	g.labels(t, g.deployment.Spec.Selector.MatchLabels)
	g.labels(t, i.services[0].Spec.Selector)
	for _, p := range i.policies {
		g.labels(t, p.Spec.PodSelector.MatchLabels)
	}
	for _, b := range i.budgets {
		g.labels(t, b.Spec.Selector.MatchLabels)
	}
	for _, s := range g.pod.TopologySpreadConstraints {
		g.labels(t, s.LabelSelector.MatchLabels)
	}
}

// isEdge checks what an edge of several replicas has beside.
func (i *installation) isEdge(t *testing.T) {
	t.Helper()
	g := i.theGate(t)
	g.isRestricted(t)
	service := i.services[0].Spec
	assert.Equal(t, core.ServiceTypeLoadBalancer, service.Type)
	assert.Equal(t, core.ServiceExternalTrafficPolicyLocal, service.ExternalTrafficPolicy)
	assert.NotEmpty(t, i.budgets)
	assert.NotEmpty(t, g.pod.TopologySpreadConstraints)
	require.Len(t, i.policies, 1)
	assert.True(t, slices.Contains(i.policies[0].Spec.PolicyTypes, networking.PolicyTypeEgress))
}
