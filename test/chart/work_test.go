package chart_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/test/operator"
)

// workTime bounds what a working operator does within a second or two.
const workTime = time.Minute

// shared is what a credential can draw on; the objects that it names are where the
// operator looks for them.
const shared = `
apiVersion: v1
kind: Secret
metadata: {name: client}
stringData: {client_secret: s3cret}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca}
data: {ca.crt: $CA}
---
apiVersion: tokensync.dev/v1alpha1
kind: $KIND
metadata: {name: shared}
spec:
  tokenURL: $URL
  tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}
  client: {id: app, secretRef: {name: client, key: client_secret}}
`

// admitted ends the spec of a ClusterOAuthProvider that holds a client.
const admitted = `
  allowedNamespaces: {matchLabels: {kubernetes.io/metadata.name: works-tenant}}
`

const tenant = `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: by-provider}
spec:
  providerRef: {name: shared}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: by-cluster-provider}
spec:
  providerRef: {kind: ClusterOAuthProvider, name: shared}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: app, annotations: {tokensync.dev/audiences: "https://login.example.com"}}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: by-account}
spec:
  provider:
    tokenURL: $URL
    tls: {caRef: {kind: ConfigMap, name: ca, key: ca.crt}}
  client: {serviceAccount: {name: app, audience: "https://login.example.com"}}
`

// The operator runs as the chart says, with the chart's rights and no others, and
// does all that it is for.
func TestOperatorWorksWithTheRightsOfTheChart(t *testing.T) {
	provider := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"a-token","token_type":"Bearer","expires_in":3600}`))
	}))
	t.Cleanup(provider.Close)

	t.Run("in all namespaces", func(t *testing.T) {
		newNamespace(t, "works")
		newNamespace(t, "works-tenant")
		run := start(t, "works")
		apply(t, "works", manifest(t, provider, "ClusterOAuthProvider", shared+admitted))
		apply(t, "works-tenant", manifest(t, provider, "OAuthProvider", shared))
		apply(t, "works-tenant", manifest(t, provider, "", tenant))
		ready(t, "ClusterOAuthProvider", "", "shared")
		run.check(t, "works-tenant", "by-provider", "by-cluster-provider", "by-account")
	})

	t.Run("in some namespaces", func(t *testing.T) {
		newNamespace(t, "works-some")
		newNamespace(t, "works-watched")
		run := start(t, "works-some", "--set", "fullnameOverride=works-some", "--set", "watchNamespaces={works-watched}")
		apply(t, "works-watched", manifest(t, provider, "OAuthProvider", shared))
		apply(t, "works-watched", manifest(t, provider, "", tenant))
		run.check(t, "works-watched", "by-provider", "by-account")
		waitFor(t, "the credential to tell that there are no cluster providers", func(ctx context.Context) (bool, error) {
			credential, err := get(ctx, t, "OAuthCredential", "works-watched", "by-cluster-provider")
			ready := readyCondition(credential)
			return ready["reason"] == "ProviderNotFound" && strings.Contains(fmt.Sprint(ready["message"]), "not available"), err
		})
	})
}

// running is an operator that runs with the rights of a release.
type running struct {
	process *operator.Process
	log     *bytes.Buffer
	user    string
	// lacks are the rights that it asks for in vain, and does without.
	lacks []right
}

// start installs the chart and runs what its Deployment runs, as its ServiceAccount.
func start(t *testing.T, namespace string, arguments ...string) *running {
	t.Helper()
	objects := render(t, namespace, append([]string{"--set", "serviceAccountTokens.enabled=true"}, arguments...)...)
	apply(t, namespace, objects)
	return startDeployed(t, namespace, objects)
}

// startDeployed runs what the Deployment among some objects runs, as its ServiceAccount.
func startDeployed(t *testing.T, namespace string, objects []*unstructured.Unstructured, environment ...string) *running {
	t.Helper()
	pod := podTemplate(t, only(objects, "Deployment")[0]).Spec
	r := &running{log: &bytes.Buffer{}, user: account(t, namespace, objects)}
	arguments := pod.Containers[0].Args
	if slices.ContainsFunc(arguments, func(argument string) bool { return strings.HasPrefix(argument, "--watch-namespaces=") }) {
		r.lacks = []right{{"", "namespaces", "get"}} // It need not know in which cluster it is.
	}
	kubeconfig, err := controlPlane(t).AddUser(r.user, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	if err != nil {
		t.Fatal(err)
	}
	r.process, err = operator.Start(t.Context(), operator.Options{
		Binary:     operatorBinary(t),
		Kubeconfig: kubeconfig,
		// Two operators of this test would want the same ports.
		Arguments: slices.DeleteFunc(arguments, func(argument string) bool {
			return strings.Contains(argument, "-bind-address=")
		}),
		Environment: append(environment, "POD_NAMESPACE="+namespace, "POD_NAME="+namespace, "POD_UID="+namespace),
		Log:         r.log,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, r.log)
	}
	t.Cleanup(func() {
		_ = r.process.Kill()
		if t.Failed() {
			t.Logf("the operator says:\n%s", r.log)
		}
	})
	return r
}

// account is the user as whom the Deployment among some objects runs.
func account(t *testing.T, namespace string, objects []*unstructured.Unstructured) string {
	t.Helper()
	pod := podTemplate(t, only(objects, "Deployment")[0]).Spec
	return "system:serviceaccount:" + namespace + ":" + pod.ServiceAccountName
}

// check waits for credentials to be ready, has the first choose another Secret, and
// ends the operator, which must not have been refused anything.
func (r *running) check(t *testing.T, namespace string, credentials ...string) {
	t.Helper()
	c := controlPlane(t).Client
	ready(t, "OAuthProvider", namespace, "shared")
	for _, name := range credentials {
		ready(t, "OAuthCredential", namespace, name)
	}
	waitFor(t, "events", func(ctx context.Context) (bool, error) {
		events := &eventsv1.EventList{}
		err := c.List(ctx, events, client.InNamespace(namespace))
		return len(events.Items) > 0, err
	})
	credential := object("OAuthCredential", namespace, credentials[0])
	patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"secret":{"name":"renamed"}}}`))
	if err := c.Patch(t.Context(), credential, patch); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the Secret of the former name to go", func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: credentials[0]}, &corev1.Secret{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	r.ends(t)
}

// manifest is a manifest with the provider's address, CA and kind put in.
func manifest(t *testing.T, provider *httptest.Server, kind, text string) []*unstructured.Unstructured {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate().Raw})
	return decode(t, strings.NewReplacer("$KIND", kind, "$URL", provider.URL, "$CA", fmt.Sprintf("%q", ca)).Replace(text))
}

// ready waits until an object is ready.
func ready(t *testing.T, kind, namespace, name string) {
	t.Helper()
	waitFor(t, kind+" "+name+" to be ready", func(ctx context.Context) (bool, error) {
		found, err := get(ctx, t, kind, namespace, name)
		return readyCondition(found)["status"] == "True", err
	})
}

func waitFor(t *testing.T, what string, done func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), workTime)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done(ctx)
		switch {
		case ok:
			return
		case err != nil && ctx.Err() == nil:
			t.Fatalf("waiting for %s: %v", what, err)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		case <-ticker.C:
		}
	}
}

// object is an object of ours with no more than its name.
func object(kind, namespace, name string) *unstructured.Unstructured {
	empty := &unstructured.Unstructured{}
	empty.SetGroupVersionKind(schema.GroupVersionKind{Group: "tokensync.dev", Version: "v1alpha1", Kind: kind})
	empty.SetNamespace(namespace)
	empty.SetName(name)
	return empty
}

func get(ctx context.Context, t *testing.T, kind, namespace, name string) (*unstructured.Unstructured, error) {
	t.Helper()
	found := object(kind, namespace, name)
	err := controlPlane(t).Client.Get(ctx, client.ObjectKeyFromObject(found), found)
	return found, err
}

// readyCondition is the condition Ready, nil where there is none yet.
func readyCondition(object *unstructured.Unstructured) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	for _, content := range conditions {
		if condition, ok := content.(map[string]any); ok && condition["type"] == "Ready" {
			return condition
		}
	}
	return nil
}
