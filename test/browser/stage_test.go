package browser

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
	"github.com/tokensync/tokensync/test/eventually"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/standin"
)

const (
	clientID, clientSecret = "app", "s:e/c+r=e%t &?"
	resource               = "urn:tokensync:test"
	deviceGrant            = "urn:ietf:params:oauth:grant-type:device_code"
)

// stage is all that a person has: a cluster with the operator, the plugin, a browser, and
// two providers.
type stage struct {
	cluster                      *cluster.Cluster
	namespace, operatorNamespace string
	plugin                       string
	browser                      context.Context //nolint:containedctx // It is what a browser is to the driver.

	server      *oidcprovider.Provider
	syncplicity *standin.Server
	// urls are those of the providers, by what manifests call them.
	urls map[string]string
}

// newStage sets everything up until the test ends.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{browser: chromium(t)}
	var err error
	if s.plugin, err = operator.BuildPlugin(t.Context(), "kubectl-tokensync-plain"); err != nil {
		t.Fatal(err)
	}
	if s.server, err = oidcprovider.Start(t.Context(), oidcprovider.Options{
		People: true,
		Clients: []oidcprovider.Client{{
			ID: clientID, Secret: clientSecret, Method: "client_secret_basic",
			Grants: []string{"authorization_code", "refresh_token", deviceGrant}, RedirectURIs: []string{"http://127.0.0.1/callback"},
		}},
		Resources: []oidcprovider.Resource{{Identifier: resource, Scopes: []string{"read"}, Seconds: 600}},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.server.Stop)
	s.urls = map[string]string{"ISSUER": s.server.Issuer}
	options := standin.Options{Clients: map[string]string{clientID: clientSecret}, RedirectURIs: []string{"http://127.0.0.1/callback"}}
	s.syncplicity = standin.NewSyncplicity(options)
	s.urls["SYNCPLICITY"] = listen(t, s.syncplicity)
	options.CodeLifetime = time.Nanosecond
	s.urls["HASTY"] = listen(t, standin.NewSyncplicity(options))

	if s.cluster, err = cluster.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	for name, namespace := range map[string]*string{"browser": &s.namespace, "operator": &s.operatorNamespace} {
		if *namespace, err = s.cluster.CreateNamespace(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	s.startOperator(t)
	return s
}

func listen(t *testing.T, server *standin.Server) string {
	t.Helper()
	url, stop, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

func (s *stage) startOperator(t *testing.T) {
	t.Helper()
	binary, err := operator.Build(t.Context(), "tokensync-operator-plain")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	process, err := operator.Start(t.Context(), operator.Options{
		Binary: binary, Kubeconfig: s.cluster.Kubeconfig, Arguments: []string{"--leader-elect=false"},
		Environment: []string{"POD_NAMESPACE=" + s.operatorNamespace}, Log: &log,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	t.Cleanup(func() {
		if err := process.Stop(); err != nil || t.Failed() {
			t.Logf("the operator ended (%v) and said:\n%s", err, &log)
		}
	})
}

// apply creates the objects of a manifest. What the schema does not know is an error.
func (s *stage) apply(t *testing.T, manifests string) {
	t.Helper()
	manifests = os.Expand(manifests, func(name string) string { return s.urls[name] })
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(document), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if object.GetNamespace() == "" && object.GetKind() != string(v1alpha1.KindClusterOAuthProvider) {
			object.SetNamespace(s.namespace)
		}
		if err := s.cluster.Client.Create(t.Context(), object, client.FieldValidation(metav1.FieldValidationStrict)); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
	}
}

// keep stores the client's secret in a namespace.
func (s *stage) keep(t *testing.T, namespace string) {
	t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "app"}, StringData: map[string]string{"client_secret": clientSecret},
	}
	if err := s.cluster.Client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}

// credential reads a credential.
func (s *stage) credential(t *testing.T, name string) *v1alpha1.OAuthCredential {
	t.Helper()
	credential := &v1alpha1.OAuthCredential{}
	if err := s.cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, credential); err != nil {
		t.Fatal(err)
	}
	return credential
}

// ready is the Ready condition of a credential, zero where there is none.
func (s *stage) ready(t *testing.T, name string) metav1.Condition {
	t.Helper()
	if found := meta.FindStatusCondition(s.credential(t, name).Status.Conditions, v1alpha1.ConditionReady); found != nil {
		return *found
	}
	return metav1.Condition{}
}

// token is what the Secret of a credential holds, empty where there is none.
func (s *stage) token(t *testing.T, name string) string {
	t.Helper()
	secret := &corev1.Secret{}
	err := s.cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: s.namespace, Name: name}, secret)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	if apierrors.IsNotFound(err) {
		return ""
	}
	return string(secret.Data[v1alpha1.KeyAccessToken])
}

// waits makes sure that a credential waits for a person, and that it has no token.
func (s *stage) waits(t *testing.T, name string) {
	t.Helper()
	eventually.Holds(t, name+" waits for a person", func() bool {
		return s.ready(t, name).Reason == v1alpha1.ReasonAuthorizationRequired
	})
	if s.token(t, name) != "" {
		t.Errorf("%s has a token", name)
	}
}
