package integration_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// user is the field manager of whoever edits objects by hand.
const user client.FieldOwner = "somebody"

// The states of a credential in one line, as tenant.state answers them.
const (
	good       = "Ready=True Reconciling=False Stalled=False TokenIssued"
	conflicted = "Ready=False Reconciling=False Stalled=True SecretConflict"
)

// tenant is a namespace and the provider that its credentials ask.
type tenant struct {
	namespace string
	provider  *standin.Server
	// url is the token URL, and endpoint is YAML that belongs beside it.
	url, endpoint string
	// namesakes says that clients outlive their credentials here, so that two
	// requests of one client may be close.
	namesakes bool
}

// oauth is a provider that knows every client by its password.
func oauth(lifetime time.Duration) *standin.Server {
	return standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: password})
}

// password is what declare gives to a client.
func password(id, secret string) bool { return secret == id+"-password" }

// newTenant makes a namespace, and serves the provider until the spec ends. Then
// everything must have come to rest in good order.
func newTenant(ctx context.Context, provider *standin.Server) *tenant {
	GinkgoHelper()
	namespace, err := controlPlane.CreateNamespace(ctx, "team")
	Expect(err).NotTo(HaveOccurred())
	base, stop, err := provider.Listen()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(stop)
	t := &tenant{namespace: namespace, provider: provider, url: base + standin.TokenPath}
	DeferCleanup(t.leave)
	return t
}

// leave checks what must hold after every spec, and takes the credentials away.
func (t *tenant) leave(ctx context.Context) {
	GinkgoHelper()
	if CurrentSpecReport().Failed() {
		AddReportEntry("credentials of "+t.namespace, kubectl(ctx, "", "get", "oauthcredentials", "-n", t.namespace, "-o", "yaml"), ReportEntryVisibilityFailureOrVerbose)
		AddReportEntry("requests of "+t.namespace, fmt.Sprintf("%+v", t.provider.Requests()), ReportEntryVisibilityFailureOrVerbose)
	}
	credentials := &v1alpha1.OAuthCredentialList{}
	Expect(controlPlane.Client.List(ctx, credentials, client.InNamespace(t.namespace))).To(Succeed())
	for _, credential := range credentials.Items {
		Eventually(ctx, t.state(credential.Name)).ShouldNot(HaveSuffix(behind), "%s is never looked at", credential.Name)
	}
	Expect(t.provider.Violations()).To(BeEmpty(), "what no well-behaved client sends")
	for _, id := range t.provider.ClientIDs() {
		if closest := t.provider.CountsOf(id).Closest; !t.namesakes && closest != 0 {
			Expect(closest).To(BeNumerically(">", spacing-haste), "requests of %s", id)
		}
	}
	Expect(controlPlane.Client.DeleteAllOf(ctx, &v1alpha1.OAuthCredential{}, client.InNamespace(t.namespace))).To(Succeed())
	Expect(client.IgnoreNotFound(controlPlane.Client.Delete(ctx, t.object("ClusterOAuthProvider", t.namespace)))).To(Succeed())
}

// declare applies a credential and its client's Secret. Each line is YAML that
// belongs under spec.
func (t *tenant) declare(ctx context.Context, name string, lines ...string) {
	GinkgoHelper()
	t.apply(ctx, t.client(name)+"---\n"+t.manifest(name, lines...))
}

// client is the manifest of the Secret that holds a client's password.
func (t *tenant) client(name string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %[1]s-client}\nstringData: {password: %[1]s-password}\n", name)
}

// manifest is that of a credential.
func (t *tenant) manifest(name string, lines ...string) string {
	return fmt.Sprintf(`apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: %[1]s}
spec:
  provider: {%[4]stokenURL: %[2]q}
  client: {id: %[1]s, secretRef: {name: %[1]s-client, key: password}}
  scopes: [read]
  %[3]s
`, name, t.url, strings.Join(lines, "\n  "), t.endpoint)
}

// apply applies manifests to the namespace, unless they name another or none is for
// them.
func (t *tenant) apply(ctx context.Context, manifests string) {
	GinkgoHelper()
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		object := &unstructured.Unstructured{}
		Expect(yaml.UnmarshalStrict([]byte(document), &object.Object)).To(Succeed(), document)
		if object.GetNamespace() == "" && !clusterScoped[object.GetKind()] {
			object.SetNamespace(t.namespace)
		}
		Expect(controlPlane.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), user, client.ForceOwnership)).To(Succeed(), document)
	}
}

// kinds are what the specs handle by name.
var kinds = map[string]schema.GroupVersionKind{
	"Secret":          corev1.SchemeGroupVersion.WithKind("Secret"),
	"ConfigMap":       corev1.SchemeGroupVersion.WithKind("ConfigMap"),
	"OAuthCredential": v1alpha1.GroupVersion.WithKind("OAuthCredential"),
	"OAuthProvider":   v1alpha1.GroupVersion.WithKind("OAuthProvider"),
	"ServiceAccount":  corev1.SchemeGroupVersion.WithKind("ServiceAccount"),

	"ClusterOAuthProvider": v1alpha1.GroupVersion.WithKind("ClusterOAuthProvider"),
	"Namespace":            corev1.SchemeGroupVersion.WithKind("Namespace"),
}

// clusterScoped are those of them that are in no namespace.
var clusterScoped = map[string]bool{"ClusterOAuthProvider": true, "Namespace": true}

func (t *tenant) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: t.namespace, Name: name}
}

func (t *tenant) object(kind, name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kinds[kind])
	if !clusterScoped[kind] {
		object.SetNamespace(t.namespace)
	}
	object.SetName(name)
	return object
}

// edit changes what the YAML names and removes what is null in it.
func (t *tenant) edit(ctx context.Context, kind, name, text string) {
	GinkgoHelper()
	patch, err := yaml.YAMLToJSONStrict([]byte(text))
	Expect(err).NotTo(HaveOccurred(), text)
	Expect(controlPlane.Client.Patch(ctx, t.object(kind, name), client.RawPatch(types.MergePatchType, patch), user)).To(Succeed())
}

// remove deletes an object.
func (t *tenant) remove(ctx context.Context, kind, name string) {
	GinkgoHelper()
	Expect(controlPlane.Client.Delete(ctx, t.object(kind, name))).To(Succeed())
}

// credential reads a credential.
func (t *tenant) credential(ctx context.Context, name string) *v1alpha1.OAuthCredential {
	GinkgoHelper()
	credential := &v1alpha1.OAuthCredential{}
	Expect(controlPlane.Client.Get(ctx, t.key(name), credential)).To(Succeed())
	return credential
}

// secret reads a Secret, nil where there is none.
func (t *tenant) secret(ctx context.Context, name string) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := controlPlane.Client.Get(ctx, t.key(name), secret)
	if apierrors.IsNotFound(err) {
		return nil
	}
	Expect(err).NotTo(HaveOccurred())
	return secret
}

// behind ends the state of a credential whose spec is newer than its status.
const behind = ", of an older spec"

// state answers the conditions of a credential in one line.
func (t *tenant) state(name string) func(context.Context) string {
	return func(ctx context.Context) string {
		credential := t.credential(ctx, name)
		return line(credential.Status.Conditions, credential.Status.ObservedGeneration == credential.Generation)
	}
}

// line is the conditions of an object.
func line(conditions []metav1.Condition, current bool) string {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "nothing" + behind
	}
	var words []string
	for _, condition := range conditions {
		words = append(words, condition.Type+"="+string(condition.Status))
	}
	words = append(words, ready.Reason)
	if !current {
		return strings.Join(words, " ") + behind
	}
	return strings.Join(words, " ")
}

// message is that of the Ready condition.
func (t *tenant) message(ctx context.Context, name string) string {
	GinkgoHelper()
	ready := meta.FindStatusCondition(t.credential(ctx, name).Status.Conditions, v1alpha1.ConditionReady)
	Expect(ready).NotTo(BeNil())
	return ready.Message
}

// requests answers how often the provider was asked for a credential's token.
func (t *tenant) requests(name string) func() int64 {
	return func() int64 { return t.provider.CountsOf(name).Requests }
}

// events are the reasons of a credential's events.
func (t *tenant) events(name string) func(context.Context) []string {
	return func(ctx context.Context) []string {
		list := &eventsv1.EventList{}
		Expect(controlPlane.Client.List(ctx, list, client.InNamespace(t.namespace))).To(Succeed())
		reasons := []string{}
		for _, event := range list.Items {
			if event.Regarding.Name == name && event.Regarding.Kind == "OAuthCredential" {
				reasons = append(reasons, event.Reason)
			}
		}
		return reasons
	}
}
