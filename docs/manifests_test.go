package docs

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/cluster"
)

// manifest is one YAML document of a page.
type manifest struct {
	where   string
	content map[string]any
}

// manifests are all YAML documents of the documentation.
func manifests(t *testing.T) []manifest {
	t.Helper()
	var found []manifest
	for _, page := range pages(t) {
		_, blocks := split(read(t, page))
		for _, b := range blocks {
			if b.language != "yaml" {
				continue
			}
			where := fmt.Sprintf("%s:%d", page, b.line)
			for document := range strings.SplitSeq(b.text, "\n---\n") {
				content := map[string]any{}
				if err := yaml.UnmarshalStrict([]byte(document), &content); err != nil {
					t.Errorf("%s: not YAML: %v", where, err)
					continue
				}
				found = append(found, manifest{where: where, content: content})
			}
		}
	}
	return found
}

// TestManifests has a real API server judge every manifest and every status of the
// documentation, by a strict dry run.
func TestManifests(t *testing.T) {
	documents := manifests(t)
	if len(documents) == 0 {
		t.Fatal("found no YAML")
	}
	c, err := cluster.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	judge(t, client.WithFieldValidation(c.Client, metav1.FieldValidationStrict), documents)
}

// judge dry-runs documents: manifests, and statuses of what their page is about.
func judge(t *testing.T, server client.Client, documents []manifest) {
	t.Helper()
	endpoint := map[string]any{"tokenURL": "https://login.example.com/oauth2/token"}
	credential := existing(t, server, "OAuthCredential", map[string]any{"provider": endpoint})
	provider := existing(t, server, "OAuthProvider", endpoint)
	for _, document := range documents {
		switch version, _ := document.content["apiVersion"].(string); {
		case strings.HasPrefix(version, "cert-manager.io/"), strings.HasPrefix(version, "kustomize.toolkit.fluxcd.io/"):
			// Nobody here knows its kinds.
		case version != "":
			if err := server.Create(t.Context(), object(document.content), client.DryRunAll); err != nil {
				t.Errorf("%s: %v", document.where, err)
			}
		case document.content["status"] != nil:
			subject := credential.DeepCopy()
			if strings.HasPrefix(document.where, providerPage+":") {
				subject = provider.DeepCopy()
			}
			subject.Object["status"] = document.content["status"]
			if err := server.Status().Patch(t.Context(), subject, client.Merge, client.DryRunAll); err != nil {
				t.Errorf("%s: %v", document.where, err)
			}
		}
	}
}

// existing creates an object that statuses can be tried on.
func existing(t *testing.T, server client.Client, kind string, spec map[string]any) *unstructured.Unstructured {
	t.Helper()
	o := object(map[string]any{
		"apiVersion": "tokensync.dev/v1alpha1",
		"kind":       kind,
		"metadata":   map[string]any{"name": "existing"},
		"spec":       spec,
	})
	if err := server.Create(t.Context(), o.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	return o
}

// object is a manifest in a namespace that there is, if its kind has one.
func object(content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: content}
	if o.GetKind() != "ClusterOAuthProvider" {
		o.SetNamespace(metav1.NamespaceDefault)
	}
	return o
}
