package chart_test

import (
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

const resourcePolicy = "helm.sh/resource-policy"

// A release is installed, upgraded, uninstalled and installed again, and no
// credential is lost on the way.
func TestReleaseKeepsCredentials(t *testing.T) {
	const namespace = "release"
	newNamespace(t, namespace)
	helm := func(command string, arguments ...string) {
		t.Helper()
		run(t, "helm", append([]string{
			command, "tokensync", "--kubeconfig", controlPlane(t).Kubeconfig, "--namespace", namespace,
		}, arguments...)...)
	}

	// The CRDs are there already, put by other hands.
	apply(t, namespace, build(t, "crd"))
	helm("install", chartDir, "--take-ownership", "--force-conflicts", "--set", "catalog.enabled=true")
	for _, crd := range crds(t) {
		if policy := crd.Annotations[resourcePolicy]; policy != "keep" {
			t.Errorf("the policy of the CRD %s is %q", crd.Name, policy)
		}
	}
	fitsIntoSecret(t, namespace)
	apply(t, namespace, decode(t, read(t, "config", "samples", "rfc6749.yaml")))

	helm("upgrade", chartDir, "--set", "replicaCount=2", "--set", "crds.keep=false")
	if got := *deployed(t, namespace).Spec.Replicas; got != 2 {
		t.Errorf("%d replicas after the upgrade to 2", got)
	}
	for _, crd := range crds(t) {
		if policy, ok := crd.Annotations[resourcePolicy]; ok {
			t.Errorf("the policy of the CRD %s is %q in spite of crds.keep=false", crd.Name, policy)
		}
	}

	helm("upgrade", chartDir, "--reset-values")
	helm("uninstall")
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: namespace, Name: "tokensync-operator"}
	if err := controlPlane(t).Client.Get(t.Context(), key, deployment); !apierrors.IsNotFound(err) {
		t.Errorf("the Deployment after the uninstallation: %v", err)
	}
	crds(t)

	helm("install", chartDir)
	deployed(t, namespace)
	credential := &v1alpha1.OAuthCredential{}
	if err := controlPlane(t).Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "orders-api"}, credential); err != nil {
		t.Errorf("the credential after all that: %v", err)
	}
}

// The CRDs of the chart are the generated ones, braces of their descriptions included.
func TestCRDsOfTheChartAreTheGeneratedOnes(t *testing.T) {
	rendered := render(t, "tokensync-system")
	sources := build(t, "crd")
	if got := len(only(rendered, crdKind)); got != len(sources) {
		t.Errorf("%d CRDs in the chart, and %d in config/crd", got, len(sources))
	}
	for _, source := range sources {
		crd := one(t, rendered, crdKind, source.GetName())
		if !reflect.DeepEqual(source.Object["spec"], crd.Object["spec"]) {
			t.Errorf("%s of the chart differs from that of config/crd: run `make generate`", describe(crd))
		}
	}
}

// fitsIntoSecret fails the test when the record of a release, in which Helm keeps the
// whole chart and all that it made of it, comes near to what a Secret can hold.
func fitsIntoSecret(t *testing.T, namespace string) {
	t.Helper()
	records := &corev1.SecretList{}
	err := controlPlane(t).Client.List(t.Context(), records, client.InNamespace(namespace), client.MatchingLabels{"owner": "helm"})
	if err != nil {
		t.Fatal(err)
	}
	if len(records.Items) == 0 {
		t.Error("Helm keeps no record of the release")
	}
	for _, record := range records.Items {
		size := 0
		for _, value := range record.Data {
			size += len(value)
		}
		t.Logf("the record %s has %d bytes", record.Name, size)
		if size == 0 || size > corev1.MaxSecretSize/2 {
			t.Errorf("the record %s has %d bytes, and a Secret takes %d", record.Name, size, corev1.MaxSecretSize)
		}
	}
}

// crds are the CRDs that the cluster has, each of config/crd among them.
func crds(t *testing.T) []*metav1.PartialObjectMetadata {
	t.Helper()
	var found []*metav1.PartialObjectMetadata
	for _, source := range build(t, "crd") {
		crd := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: crdKind}}
		if err := controlPlane(t).Client.Get(t.Context(), client.ObjectKey{Name: source.GetName()}, crd); err != nil {
			t.Fatal(err)
		}
		found = append(found, crd)
	}
	return found
}

func deployed(t *testing.T, namespace string) *appsv1.Deployment {
	t.Helper()
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: namespace, Name: "tokensync-operator"}
	if err := controlPlane(t).Client.Get(t.Context(), key, deployment); err != nil {
		t.Fatal(err)
	}
	return deployment
}
