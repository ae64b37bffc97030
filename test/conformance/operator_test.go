package conformance

import (
	"bytes"
	"crypto/x509/pkix"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/conformance/oidcprovider"
	"github.com/tokensync/tokensync/test/operator"
)

// workspace is a namespace in which an operator works.
type workspace struct {
	*cluster.Cluster

	server *oidcprovider.Provider
	name   string

	options operator.Options
	process *operator.Process
}

// newWorkspace starts a control plane and an operator.
func newWorkspace(t *testing.T, server *oidcprovider.Provider) *workspace {
	t.Helper()
	binary, err := operator.Build(t.Context(), "tokensync-operator-plain")
	if err != nil {
		t.Fatal(err)
	}
	controlPlane, err := cluster.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := controlPlane.Stop(); err != nil {
			t.Error(err)
		}
	})
	name, err := controlPlane.CreateNamespace(t.Context(), "conformance")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	n := &workspace{Cluster: controlPlane, server: server, name: name, options: operator.Options{
		Binary: binary, Kubeconfig: controlPlane.Kubeconfig, Log: &log,
		Arguments: []string{"--watch-namespaces=" + name, "--leader-elect=false"},
	}}
	n.startOperator(t)
	t.Cleanup(func() {
		if err := n.process.Stop(); err != nil || t.Failed() {
			t.Logf("the operator ended (%v) and said:\n%s", err, &log)
		}
	})
	return n
}

// startOperator starts the operator, at first or after it was killed.
func (n *workspace) startOperator(t *testing.T) {
	t.Helper()
	process, err := operator.Start(t.Context(), n.options)
	if err != nil {
		t.Fatalf("%v\n%s", err, n.options.Log)
	}
	n.process = process
}

// store creates or replaces a Secret.
func (n *workspace) store(t *testing.T, name string, data map[string]string) {
	t.Helper()
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: name}, Type: corev1.SecretTypeOpaque, StringData: data,
	}
	if _, ok := data[corev1.TLSCertKey]; ok {
		secret.Type = corev1.SecretTypeTLS
	}
	err := n.Client.Create(t.Context(), secret)
	if err != nil {
		err = n.Client.Update(t.Context(), secret)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// declare creates a credential as it is written: what the schema does not know is an
// error.
func (n *workspace) declare(t *testing.T, name, spec string) {
	t.Helper()
	credential := &unstructured.Unstructured{Object: map[string]any{}}
	content := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(fill(spec, n.server)), &content); err != nil {
		t.Fatal(err)
	}
	credential.Object["spec"] = content
	credential.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("OAuthCredential"))
	credential.SetNamespace(n.name)
	credential.SetName(name)
	if err := n.Client.Create(t.Context(), credential, client.FieldValidation(metav1.FieldValidationStrict)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// waitFor waits until every credential's condition Ready is as wanted.
func (n *workspace) waitFor(t *testing.T, wanted func(ready *metav1.Condition) bool, names ...string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var list v1alpha1.OAuthCredentialList
		if err := n.Client.List(t.Context(), &list, client.InNamespace(n.name)); err != nil {
			t.Fatal(err)
		}
		missing := slices.Clone(names)
		last = ""
		for _, credential := range list.Items {
			ready := meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionReady)
			if ready != nil && wanted(ready) {
				missing = slices.DeleteFunc(missing, func(name string) bool { return name == credential.Name })
			} else if slices.Contains(names, credential.Name) && ready != nil {
				last += fmt.Sprintf("\n%s: %s %s", credential.Name, ready.Reason, ready.Message)
			}
		}
		if len(missing) == 0 {
			return
		}
	}
	t.Fatalf("not all credentials are as they should be:%s", last)
}

func isReady(ready *metav1.Condition) bool {
	return ready.Status == metav1.ConditionTrue && ready.Reason == v1alpha1.ReasonTokenIssued
}

// told is what the server knows of the token in the Secret of a credential.
func (n *workspace) told(t *testing.T, name string) oidcprovider.Introspection {
	t.Helper()
	var secret corev1.Secret
	if err := n.Client.Get(t.Context(), client.ObjectKey{Namespace: n.name, Name: name}, &secret); err != nil {
		t.Fatal(err)
	}
	told, err := n.server.Introspect(t.Context(), string(secret.Data[v1alpha1.KeyAccessToken]))
	if err != nil {
		t.Fatal(err)
	}
	if !told.Active {
		t.Errorf("%s: the server does not know the token", name)
	}
	return told
}

// TestTheOperatorUsesEveryMethod has the operator get a token for every row, and
// notice what changes.
func TestTheOperatorUsesEveryMethod(t *testing.T) {
	ca := newAuthority(t)
	all := rows(t, ca)
	namespace := startRows(t, all, oidcprovider.Options{ClientCA: ca.Bundle})
	n := newWorkspace(t, namespace.server)
	bundle := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: n.name, Name: "company-ca"}, Data: map[string]string{"ca.crt": string(namespace.bundle)},
	}
	if err := n.Client.Create(t.Context(), bundle); err != nil {
		t.Fatal(err)
	}
	for name, r := range all {
		if r.secret != nil {
			n.store(t, "client-"+name, r.secret)
		}
		n.declare(t, name, r.spec+"\nscopes: [read]\n")
	}
	names := slices.Sorted(maps.Keys(all))
	n.waitFor(t, isReady, names...)
	for _, name := range names {
		if told := n.told(t, name); told.ClientID != all[name].registered.ID || told.Scope != "read" || told.Confirmation.Thumbprint != all[name].bound {
			t.Errorf("%s: the server knows the token as %+v", name, told)
		}
	}
	t.Run("a wrong key is told, and a right one taken at once", func(t *testing.T) { mended(t, n, all["key-es256"]) })
	t.Run("a renewed certificate is used", func(t *testing.T) { renewed(t, n, ca) })
}

// mended has a credential begin with the wrong key.
func mended(t *testing.T, n *workspace, r row) {
	t.Helper()
	wrong := pkcs8(t, newKey(t, "ES256"))
	n.store(t, "client-mended", map[string]string{"key": wrong})
	n.declare(t, "mended", strings.ReplaceAll(r.spec, "client-key-es256", "client-mended"))
	n.waitFor(t, func(ready *metav1.Condition) bool {
		return ready.Status == metav1.ConditionFalse && ready.Reason == v1alpha1.ReasonProviderRejected &&
			strings.Contains(ready.Message, "invalid_client") && strings.Contains(ready.Message, "public key")
	}, "mended")
	n.store(t, "client-mended", r.secret)
	n.waitFor(t, isReady, "mended")
	n.told(t, "mended")
}

// renewed replaces the certificate of a client by one for the same subject.
func renewed(t *testing.T, n *workspace, ca *oidcprovider.Authority) {
	t.Helper()
	pair, err := ca.ClientPair(pkix.Name{CommonName: "acme", Organization: []string{"Example"}})
	if err != nil {
		t.Fatal(err)
	}
	n.store(t, "client-tls-subject", tlsSecret(pair))
	for deadline := time.Now().Add(20 * time.Second); n.told(t, "tls-subject").Confirmation.Thumbprint != thumbprint(t, pair); {
		if time.Now().After(deadline) {
			t.Fatal("the token is still that of the old certificate")
		}
		time.Sleep(50 * time.Millisecond)
	}
}
