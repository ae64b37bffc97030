package chart_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
)

const (
	fieldOwner = client.FieldOwner("chart-test")

	crdKind  = "CustomResourceDefinition"
	chartDir = "charts/tokensync"
)

// started is the control plane, once a test has asked for it: those that only read
// files do not wait for one.
var started struct {
	once    sync.Once
	cluster *cluster.Cluster
	audit   *audit
	err     error
}

func TestMain(m *testing.M) {
	m.Run() // its result becomes the exit code when TestMain returns
	var err error
	if started.cluster != nil {
		err = started.cluster.Stop()
	}
	if started.audit != nil {
		err = errors.Join(err, os.RemoveAll(started.audit.directory))
	}
	if err != nil {
		panic(err)
	}
}

// controlPlane is a real API server that knows our CRDs and ServiceMonitors.
func controlPlane(t *testing.T) *cluster.Cluster {
	t.Helper()
	started.once.Do(func() {
		if started.audit, started.err = newAudit(); started.err == nil {
			started.cluster, started.err = cluster.Start(started.audit.configure)
		}
	})
	if started.err != nil {
		t.Fatal(started.err)
	}
	return started.cluster
}

// audited is what a user has asked the API server for.
func audited(t *testing.T, user string) asked {
	t.Helper()
	controlPlane(t)
	return started.audit.of(t, user)
}

// built is the operator, once a test has asked for it.
var built struct {
	once   sync.Once
	binary string
	err    error
}

func operatorBinary(t *testing.T) string {
	t.Helper()
	built.once.Do(func() { built.binary, built.err = operator.Build(t.Context(), "tokensync-operator-plain") })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.binary
}

// path is the path of a file of the repository.
func path(elements ...string) string {
	return filepath.Join(append([]string{cluster.Root()}, elements...)...)
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	content, err := os.ReadFile(path(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// run runs a tool of bin/ and returns what it prints.
func run(t *testing.T, tool string, arguments ...string) string {
	t.Helper()
	bin := os.Getenv("BIN")
	if bin == "" {
		bin = path("bin")
	}
	home := t.TempDir()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), filepath.Join(bin, tool), arguments...)
	command.Dir = path()
	// No settings, plugins or repositories of whoever runs the tests.
	command.Env = append(os.Environ(), "HELM_CONFIG_HOME="+home, "HELM_CACHE_HOME="+home, "HELM_DATA_HOME="+home)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		t.Fatalf("%s %q: %v (`make bin/%s` builds it)\n%s", tool, arguments, err, tool, &stderr)
	}
	return stdout.String()
}

// render renders the chart as release tokensync.
func render(t *testing.T, namespace string, arguments ...string) []*unstructured.Unstructured {
	t.Helper()
	return decode(t, template(t, namespace, arguments...))
}

// template is render, as text.
func template(t *testing.T, namespace string, arguments ...string) string {
	t.Helper()
	return run(t, "helm", append([]string{"template", "tokensync", chartDir, "--namespace", namespace}, arguments...)...)
}

// build builds a kustomization of config/.
func build(t *testing.T, directory string) []*unstructured.Unstructured {
	t.Helper()
	return decode(t, run(t, "kustomize", "build", filepath.Join("config", directory)))
}

// decode reads manifests. A key that stands twice in a map is an error.
func decode(t *testing.T, manifests string) []*unstructured.Unstructured {
	t.Helper()
	var objects []*unstructured.Unstructured
	reader := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifests)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		content := map[string]any{}
		if err := sigsyaml.UnmarshalStrict(document, &content); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(content) > 0 {
			objects = append(objects, &unstructured.Unstructured{Object: content})
		}
	}
}

// apply applies objects on the server's side, which refuses unknown fields, and
// fails the test for each that the API server does not take.
func apply(t *testing.T, namespace string, objects []*unstructured.Unstructured) {
	t.Helper()
	c := controlPlane(t)
	for _, object := range objects {
		object = object.DeepCopy()
		namespaced, err := c.Client.IsObjectNamespaced(object)
		if err != nil {
			t.Errorf("%s: %v", describe(object), err)
			continue
		}
		if namespaced && object.GetNamespace() == "" {
			object.SetNamespace(namespace)
		}
		configuration := client.ApplyConfigurationFromUnstructured(object)
		if err := c.Client.Apply(t.Context(), configuration, fieldOwner, client.ForceOwnership); err != nil {
			t.Errorf("%s: %v", describe(object), err)
		}
	}
}

// newNamespace makes a namespace that demands restricted pods.
func newNamespace(t *testing.T, name string) {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name:   name,
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if err := controlPlane(t).Client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
}

func describe(object *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
}

// only returns the objects of a kind.
func only(objects []*unstructured.Unstructured, kind string) []*unstructured.Unstructured {
	var found []*unstructured.Unstructured
	for _, object := range objects {
		if object.GetKind() == kind {
			found = append(found, object)
		}
	}
	return found
}

// one returns the one object of a kind and name.
func one(t *testing.T, objects []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, object := range only(objects, kind) {
		if object.GetName() == name {
			return object
		}
	}
	t.Fatalf("no %s %s", kind, name)
	return nil
}
