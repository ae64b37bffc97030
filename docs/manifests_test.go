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
	server := client.WithFieldValidation(c.Client, metav1.FieldValidationStrict)
	existing := object(map[string]any{
		"apiVersion": "tokensync.dev/v1alpha1",
		"kind":       "OAuthCredential",
		"metadata":   map[string]any{"name": "existing"},
		"spec":       map[string]any{"provider": map[string]any{"tokenURL": "https://login.example.com/oauth2/token"}},
	})
	if err := server.Create(t.Context(), existing.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	for _, document := range documents {
		switch {
		case document.content["apiVersion"] != nil:
			if err := server.Create(t.Context(), object(document.content), client.DryRunAll); err != nil {
				t.Errorf("%s: %v", document.where, err)
			}
		case document.content["status"] != nil:
			credential := existing.DeepCopy()
			credential.Object["status"] = document.content["status"]
			if err := server.Status().Patch(t.Context(), credential, client.Merge, client.DryRunAll); err != nil {
				t.Errorf("%s: %v", document.where, err)
			}
		}
	}
}

// object is a manifest in a namespace.
func object(content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: content}
	o.SetNamespace(metav1.NamespaceDefault)
	return o
}
