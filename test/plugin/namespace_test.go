package plugin_test

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// namespace is one of a spec's own, with a provider.
type namespace struct {
	name     string
	provider *standin.Server
	url      string
}

func newNamespace(ctx context.Context, provider *standin.Server) *namespace {
	GinkgoHelper()
	name, err := controlPlane.CreateNamespace(ctx, "plugin")
	Expect(err).NotTo(HaveOccurred())
	url, stop, err := provider.Listen()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(stop)
	return &namespace{name: name, provider: provider, url: url}
}

// apply creates what a manifest declares; BASE stands for the URL of the provider.
func (n *namespace) apply(ctx context.Context, manifest string) {
	GinkgoHelper()
	for document := range strings.SplitSeq(strings.ReplaceAll(manifest, "BASE", n.url), "---\n") {
		var object client.Object
		switch {
		case strings.Contains(document, "kind: Secret\n"):
			object = &corev1.Secret{}
		case strings.Contains(document, "kind: ClusterOAuthProvider\n"):
			object = &v1alpha1.ClusterOAuthProvider{}
		default:
			object = &v1alpha1.OAuthCredential{}
		}
		Expect(yaml.UnmarshalStrict([]byte(document), object)).To(Succeed(), document)
		if object.GetNamespace() == "" {
			object.SetNamespace(n.name)
		}
		Expect(controlPlane.Client.Create(ctx, object)).To(Succeed())
	}
}

// clientSecret is a manifest of the Secret of a client.
const clientSecret = `apiVersion: v1
kind: Secret
metadata: {name: client}
stringData: {client_secret: the-secret-of-acme}
`

// secret reads a Secret, nil where there is none.
func (n *namespace) secret(ctx context.Context, name string) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	err := controlPlane.Client.Get(ctx, types.NamespacedName{Namespace: n.name, Name: name}, secret)
	Expect(client.IgnoreNotFound(err)).To(Succeed())
	if err != nil {
		return nil
	}
	return secret
}

// ready waits until a credential is ready.
func (n *namespace) ready(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(ctx, func(ctx context.Context) bool {
		credential := &v1alpha1.OAuthCredential{}
		err := controlPlane.Client.Get(ctx, types.NamespacedName{Namespace: n.name, Name: name}, credential)
		return err == nil && meta.IsStatusConditionTrue(credential.Status.Conditions, v1alpha1.ConditionReady)
	}).Should(BeTrue())
}

// good tells whether the Secret of the credential files holds a token that the provider takes.
func (n *namespace) good(ctx context.Context) bool {
	GinkgoHelper()
	found := n.secret(ctx, "files")
	if found == nil {
		return false
	}
	_, _, ok := n.provider.Check(string(found.Data[v1alpha1.KeyAccessToken]))
	return ok
}
