package kubernetes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// top is the folder of the whole project.
var top = filepath.Join("..", "..", "..")

// installation is what is applied together.
type installation struct {
	deployments []apps.Deployment
	services    []core.Service
	settings    []core.ConfigMap
	policies    []networking.NetworkPolicy
	budgets     []policy.PodDisruptionBudget
	namespaces  []core.Namespace
}

// decode adds the object in one YAML document.
func (i *installation) decode(document string) error {
	var kind struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
		return err
	}
	switch kind.APIVersion + " " + kind.Kind {
	case "apps/v1 Deployment":
		return into(&i.deployments, document)
	case "v1 Service":
		return into(&i.services, document)
	case "v1 ConfigMap":
		return into(&i.settings, document)
	case "v1 Namespace":
		return into(&i.namespaces, document)
	case "networking.k8s.io/v1 NetworkPolicy":
		return into(&i.policies, document)
	case "policy/v1 PodDisruptionBudget":
		return into(&i.budgets, document)
	}
	return fmt.Errorf("no type is known for %q %q", kind.APIVersion, kind.Kind)
}

// into decodes one more of a list, as Kubernetes does: fields that are unknown, of another
// case or written twice are errors.
func into[T any](list *[]T, document string) error {
	text, err := yaml.YAMLToJSONStrict([]byte(document))
	if err != nil {
		return err
	}
	var object T
	unknown, err := json.UnmarshalStrict(text, &object)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return err
	}
	*list = append(*list, object)
	return nil
}

// install decodes all documents of a text.
func install(t *testing.T, text string) *installation {
	t.Helper()
	var i installation
	for document := range strings.SplitSeq("\n"+text, "\n---") {
		if strings.Trim(document, "- \n") != "" {
			require.NoError(t, i.decode(document), document)
		}
	}
	return &i
}

// kustomized is what `kubectl apply -k` would apply of a folder.
func kustomized(t *testing.T, folder string) *installation {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(top, folder))
	require.NoError(t, err)
	text, err := made.AsYaml()
	require.NoError(t, err)
	return install(t, string(text))
}

// A field or a kind that Kubernetes doesn't know would be dropped or refused there; here it
// is found wherever it is in any of our files.
func TestAMisspeltFieldIsFound(t *testing.T) {
	for file, words := range map[string][]string{
		"deployment.yaml": {
			"replicas", "maxSurge", "matchLabels", "terminationGracePeriodSeconds", "runAsNonRoot", "sysctls", "topologyKey", "matchLabelKeys",
			"containerPort", "httpGet", "periodSeconds", "preStop", "exec", "command", "requests", "readOnlyRootFilesystem", "drop", "mountPath", "secretName",
		},
		"service.yaml":             {"externalTrafficPolicy", "selector", "targetPort"},
		"networkpolicy.yaml":       {"podSelector", "policyTypes", "ingress", "from", "cidr", "namespaceSelector"},
		"poddisruptionbudget.yaml": {"maxUnavailable", "unhealthyPodEvictionPolicy"},
		"namespace.yaml":           {"labels"},
	} {
		text, err := os.ReadFile(filepath.Join(top, "examples", "kubernetes", file))
		require.NoError(t, err)
		require.NoError(t, new(installation).decode(string(text)), file)
		for _, word := range words {
			for _, misspelt := range []string{word + "x", strings.ToUpper(word[:1]) + word[1:]} {
				bad := strings.Replace(string(text), word+":", misspelt+":", 1)
				require.NotEqual(t, string(text), bad, "%s has no %s", file, word)
				assert.ErrorContains(t, new(installation).decode(bad), misspelt, "%s of %s", word, file)
			}
		}
	}
}

func TestAnUnknownKindAndAFieldThatIsWrittenTwiceAreFound(t *testing.T) {
	assert.ErrorContains(t, new(installation).decode("apiVersion: v1\nkind: Sevrice\n"), `"v1" "Sevrice"`)
	assert.ErrorContains(t, new(installation).decode("apiVersion: apps/v1beta1\nkind: Deployment\n"), "apps/v1beta1")
	assert.ErrorContains(t, new(installation).decode("apiVersion: v1\nkind: Service\nspec: {type: ClusterIP}\nspec: {}\n"), "spec")
}
