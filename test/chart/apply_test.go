package chart_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Every combination of values that charts/tokensync/ci holds is taken by a real API
// server, and its pods by a namespace that demands restricted ones.
func TestAPIServerTakesTheChart(t *testing.T) {
	apply(t, "", monitoringKinds(t))
	newNamespace(t, "team-a")
	newNamespace(t, "team-b")
	combinations, err := filepath.Glob(path(chartDir, "ci", "*-values.yaml"))
	if err != nil || len(combinations) < 4 {
		t.Fatalf("values in %s/ci: %q, %v", chartDir, combinations, err)
	}
	for _, values := range combinations {
		name := strings.TrimSuffix(filepath.Base(values), "-values.yaml")
		t.Run(name, func(t *testing.T) {
			namespace := "chart-" + name
			newNamespace(t, namespace)
			objects := render(t, namespace, "--values", values)
			apply(t, namespace, objects)
			for _, deployment := range only(objects, "Deployment") {
				takesPods(t, deployment)
			}
		})
	}
}

func TestAPIServerTakesTheManifests(t *testing.T) {
	apply(t, "", monitoringKinds(t))
	newNamespace(t, "samples")
	newNamespace(t, "web")
	// default makes the namespace of those that follow it.
	for _, directory := range []string{"crd", "catalog", "default", "rbac", "manager", "network-policy", "prometheus", "samples", "injection"} {
		t.Run(directory, func(t *testing.T) {
			objects := build(t, directory)
			// Most samples are meant for a namespace of the reader's.
			apply(t, "samples", objects)
			for _, deployment := range only(objects, "Deployment") {
				if deployment.GetNamespace() == "" {
					deployment.SetNamespace("samples")
				}
				takesPods(t, deployment)
			}
		})
	}
}

// monitoringKinds are those of the Prometheus operator, as far as our manifests use them.
func monitoringKinds(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	return slices.Concat(
		decode(t, read(t, "test", "chart", "testdata", "servicemonitors.yaml")),
		decode(t, read(t, "test", "chart", "testdata", "prometheusrules.yaml")),
	)
}

// What the kustomize manifests and the chart run is the same.
func TestChartRunsWhatTheManifestsRun(t *testing.T) {
	podSpec := func(objects []*unstructured.Unstructured) corev1.PodSpec {
		spec := podTemplate(t, one(t, objects, "Deployment", "tokensync-operator")).Spec
		// The chart spells out the defaults of the flags, and the pull policy.
		spec.Containers[0].Args, spec.Containers[0].ImagePullPolicy = nil, ""
		return spec
	}
	chart, manifests := podSpec(render(t, "tokensync-system")), podSpec(build(t, "default"))
	if chart.String() != manifests.String() {
		t.Errorf("the chart runs\n%s\nand config/default\n%s", chart.String(), manifests.String())
	}
}

// The check of the pods' security is one only if it refuses something.
func TestRestrictedNamespaceRefusesAnUnrestrictedPod(t *testing.T) {
	newNamespace(t, "refusing")
	template := podTemplate(t, one(t, render(t, "refusing"), "Deployment", "tokensync-operator"))
	template.Spec.Containers[0].SecurityContext = nil
	err := createPod(t, "refusing", template)
	if err == nil || !strings.Contains(err.Error(), "violates PodSecurity") {
		t.Errorf("created: %v", err)
	}
}

func takesPods(t *testing.T, deployment *unstructured.Unstructured) {
	t.Helper()
	if err := createPod(t, deployment.GetNamespace(), podTemplate(t, deployment)); err != nil {
		t.Errorf("a pod of %s: %v", describe(deployment), err)
	}
}

func podTemplate(t *testing.T, deployment *unstructured.Unstructured) *corev1.PodTemplateSpec {
	t.Helper()
	content, _, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	if err != nil {
		t.Fatal(err)
	}
	template := &corev1.PodTemplateSpec{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content, template); err != nil {
		t.Fatal(err)
	}
	return template
}

func createPod(t *testing.T, namespace string, template *corev1.PodTemplateSpec) error {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.Namespace, pod.GenerateName = namespace, "try-"
	return controlPlane(t).Client.Create(t.Context(), pod, client.DryRunAll)
}

// The operator knows every flag that the chart and the manifests give it. --version
// makes it stop once it has read them.
func TestOperatorKnowsTheFlags(t *testing.T) {
	binary := operatorBinary(t)
	objects := slices.Concat(
		render(t, "flags"),
		render(t, "flags", "--values", path(chartDir, "ci", "everything-values.yaml")),
		render(t, "flags", "--set", "watchNamespaces={a,b}", "--set", "metrics.enabled=false"),
		build(t, "manager"),
	)
	for _, deployment := range only(objects, "Deployment") {
		arguments := append(podTemplate(t, deployment).Spec.Containers[0].Args, "--version")
		if output, err := exec.CommandContext(t.Context(), binary, arguments...).CombinedOutput(); err != nil {
			t.Errorf("tokensync-operator %q: %v\n%s", arguments, err, output)
		}
	}
}
