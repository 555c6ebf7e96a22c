package kubernetes

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

// render is what Helm makes of the chart for values, written as YAML.
func render(t *testing.T, release, values string) (map[string]string, error) {
	t.Helper()
	chart, err := loader.Load(filepath.Join(top, "packaging", "helm", "trackgate"))
	require.NoError(t, err)
	require.NoError(t, chart.Validate())
	var given map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(values), &given))
	options := chartutil.ReleaseOptions{Name: release, Namespace: "edge", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, given, options, nil)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	for name, text := range files {
		delete(files, name)
		files[filepath.Base(name)] = text
	}
	return files, err
}

// charted decodes what Helm renders; the notes are no object.
func charted(t *testing.T, release, values string) *installation {
	t.Helper()
	files, err := render(t, release, values)
	require.NoError(t, err)
	delete(files, "NOTES.txt")
	var all strings.Builder
	for _, text := range files {
		all.WriteString("\n---\n" + text)
	}
	return install(t, all.String())
}

// settingsOf is a file of an example, as `--set-file config=` gives it to the chart.
func settingsOf(t *testing.T, example string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "examples", example, "trackgate.yaml"))
	require.NoError(t, err)
	quoted, err := yaml.Marshal(map[string]string{"config": string(text)})
	require.NoError(t, err)
	return string(quoted)
}

func TestTheChartFitsTogether(t *testing.T) {
	for name, values := range map[string]string{
		"as it is":     "",
		"our example":  settingsOf(t, "kubernetes"),
		"an authority": settingsOf(t, "kubernetes-acme") + "tlsSecret: ''\nenvSecret: trackgate-redis\n",
		"everything": `
replicas: 5
image: {repository: registry.internal/gate, tag: "1e5", pullPolicy: Always, pullSecrets: [registry]}
drainSeconds: 40
announceSeconds: 30
admin: {port: 9999}
service: {loadBalancerClass: example.com/nlb, annotations: {example.com/scheme: internet-facing}}
podAnnotations: {prometheus.io/scrape: "true"}
podLabels: {team: edge}
nodeSelector: {kubernetes.io/arch: amd64}
tolerations: [{key: edge, operator: Exists, effect: NoSchedule}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: edge, operator: Exists}]}]}}}
priorityClassName: system-cluster-critical
extraVolumes: [{name: ca, configMap: {name: internal-ca}}]
extraVolumeMounts: [{name: ca, mountPath: /ca, readOnly: true}]
networkPolicy: {metricsNamespace: "", egress: []}
`,
		"an autoscaler": "replicas: null\n",
	} {
		t.Run(name, func(t *testing.T) {
			for _, release := range []string{"trackgate", "x"} {
				i := charted(t, release, values)
				i.check(t)
				i.isEdge(t)
			}
		})
	}
}

func TestTheChartLeavesOutWhatIsNotWanted(t *testing.T) {
	i := charted(t, "x", "podDisruptionBudget: {enabled: false}\nnetworkPolicy: {enabled: false}\nreplicas: null\nservice: {type: ClusterIP}\n")
	i.check(t)
	assert.Empty(t, i.budgets)
	assert.Empty(t, i.policies)
	assert.Nil(t, i.deployments[0].Spec.Replicas)
	assert.Empty(t, i.services[0].Spec.ExternalTrafficPolicy)
	assert.Zero(t, *charted(t, "x", "replicas: 0\n").deployments[0].Spec.Replicas)
}

func TestTheChartPassesTheSettingsOnWordForWord(t *testing.T) {
	text := "# {{ not a template }}\nlisteners:\n\n  - {name: a, kind: public, address: ':443', hosts: [a.example], pool: p}\n" +
		"  - {name: b, kind: redirect, address: ':80'}\npools:\n  - {name: p, backends: ['http://10.0.0.1']}\ntls: {files: [{certificate: /tls/tls.crt, key: /tls/tls.key}]}\n"
	values, err := yaml.Marshal(map[string]string{"config": text})
	require.NoError(t, err)
	i := charted(t, "x", string(values))
	i.check(t)
	assert.Equal(t, strings.TrimSpace(text), strings.TrimSpace(i.settings[0].Data["trackgate.yaml"]))
}

func TestNewSettingsAreRolledOut(t *testing.T) {
	const key = "checksum/config"
	before := charted(t, "x", settingsOf(t, "kubernetes")).deployments[0].Spec.Template.Annotations[key]
	after := charted(t, "x", settingsOf(t, "kubernetes-acme")).deployments[0].Spec.Template.Annotations[key]
	assert.NotEqual(t, before, after)
	text, err := os.ReadFile(filepath.Join(top, "examples", "kubernetes", "trackgate.yaml"))
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	assert.Equal(t, hex.EncodeToString(sum[:]), before)
}

func TestTheChartRefusesMistakes(t *testing.T) {
	for values, want := range map[string]string{
		"replcas: 3\n":                           "replcas",
		"image: {repo: x}\n":                     "repo",
		"replicas: many\n":                       "replicas",
		"drainSeconds: 0\n":                      "drainSeconds",
		"service: {type: LoadBalanser}\n":        "/service/type",
		"service: {ports: [{name: x}]}\n":        "port",
		"config: ''\n":                           "config",
		"config: '{'\n":                          "config: error converting YAML",
		"config: 'listeners: []'\n":              "https leads to port 443, where no listener of config is",
		"admin: {port: 0}\n":                     "/admin/port",
		"networkPolicy: {enable: false}\n":       "enable",
		"podDisruptionBudget: {maxUnavail: 2}\n": "maxUnavail",
		"service: {ports: [{name: https, port: 443, targetPort: 8443}]}\n": "https leads to port 8443, where no listener of config is (443, 80)",
	} {
		_, err := render(t, "x", values)
		assert.ErrorContains(t, err, want, values)
	}
}

// A template with a misspelt field renders, and is found by its type.
func TestAMisspeltFieldOfTheChartIsFound(t *testing.T) {
	i := &installation{}
	files, err := render(t, "x", "extraVolumes: [{name: ca, configMop: {name: internal-ca}}]\n")
	require.NoError(t, err)
	assert.ErrorContains(t, i.decode(files["deployment.yaml"]), "configMop")
}

func TestTheNotesNameWhatIsInstalled(t *testing.T) {
	files, err := render(t, "blue", settingsOf(t, "kubernetes-acme"))
	require.NoError(t, err)
	assert.Contains(t, files["NOTES.txt"], "get service blue-trackgate")
	assert.Contains(t, files["NOTES.txt"], "order certificates themselves")
}
