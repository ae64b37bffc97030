package failures_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// user is the field manager of what a user applies.
const user = client.FieldOwner("kubectl")

// The manifests that most tests apply; $URL stands for a provider's address.
const (
	clientSecret = `
apiVersion: v1
kind: Secret
metadata: {name: app-client}
stringData: {client_secret: app-secret}
`
	credential = `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: app}
spec:
  provider: {tokenURL: $URL/oauth/token}
  client: {id: app, secretRef: {name: app-client, key: client_secret}}
  secret: {name: app-token}
`
)

// at puts a provider's address into a manifest.
func at(url, manifest string) string {
	return strings.ReplaceAll(manifest, "$URL", url)
}

// numbered is a credential with a client of the same name, all of which share one
// client Secret.
func numbered(url, name string) string {
	return at(url, fmt.Sprintf(`
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: %[1]s}
spec:
  provider: {tokenURL: $URL/oauth/token}
  client: {id: %[1]s, secretRef: {name: app-client, key: client_secret}}
  secret: {name: %[1]s-token}
`, name))
}

// names are so many names that begin with a prefix.
func names(prefix string, count int) []string {
	all := make([]string, 0, count)
	for i := range count {
		all = append(all, fmt.Sprintf("%s-%d", prefix, i))
	}
	return all
}

// apply does what `kubectl apply --server-side -n namespace -f` does.
func apply(ctx context.Context, namespace string, manifests ...string) {
	GinkgoHelper()
	for _, manifest := range manifests {
		reader := yaml.NewYAMLReader(bufio.NewReader(strings.NewReader(manifest)))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			Expect(err).NotTo(HaveOccurred())
			object := &unstructured.Unstructured{}
			Expect(sigsyaml.UnmarshalStrict(document, &object.Object)).To(Succeed(), "%s", document)
			if len(object.Object) == 0 {
				continue
			}
			object.SetNamespace(namespace)
			Expect(api.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), user, client.ForceOwnership)).
				To(Succeed(), "%s", document)
		}
	}
}

// askForRefresh does what a person does who will not wait:
// `kubectl annotate oauthcredential app tokensync.dev/refresh-requested-at=now`.
func askForRefresh(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`, v1alpha1.AnnotationRefreshRequestedAt,
		time.Now().Format(time.RFC3339Nano))
	object := &v1alpha1.OAuthCredential{}
	object.Namespace, object.Name = namespace, name
	Expect(api.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(patch)), user)).To(Succeed())
}

func getCredential(ctx context.Context, namespace, name string) *v1alpha1.OAuthCredential {
	GinkgoHelper()
	found := &v1alpha1.OAuthCredential{}
	Expect(api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, found)).To(Succeed())
	return found
}

func getSecret(ctx context.Context, namespace, name string) *corev1.Secret {
	GinkgoHelper()
	found := &corev1.Secret{}
	Expect(api.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, found)).To(Succeed())
	return found
}

func listCredentials(ctx context.Context, namespace string) []v1alpha1.OAuthCredential {
	GinkgoHelper()
	found := &v1alpha1.OAuthCredentialList{}
	Expect(api.List(ctx, found, client.InNamespace(namespace))).To(Succeed())
	return found.Items
}

// listTargets lists the Secrets that tokensync manages.
func listTargets(ctx context.Context, namespace string) ([]corev1.Secret, error) {
	found := &corev1.SecretList{}
	err := api.List(ctx, found, client.InNamespace(namespace),
		client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync})
	return found.Items, err
}

// eventsOf lists the events about one credential.
func eventsOf(ctx context.Context, namespace, name string) []eventsv1.Event {
	GinkgoHelper()
	return slices.DeleteFunc(allEvents(ctx, namespace), func(e eventsv1.Event) bool { return e.Regarding.Name != name })
}

// allEvents lists all events of a namespace.
func allEvents(ctx context.Context, namespace string) []eventsv1.Event {
	GinkgoHelper()
	found := &eventsv1.EventList{}
	Expect(api.List(ctx, found, client.InNamespace(namespace))).To(Succeed())
	return found.Items
}
