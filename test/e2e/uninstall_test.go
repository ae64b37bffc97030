package e2e_test

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The last of all: the CRDs go with it, and every credential.
var _ = Describe("What goes and what stays", removing-1, Ordered, func() {
	var s *stage
	kept := v1alpha1.TargetSecret{DeletionPolicy: v1alpha1.DeletionPolicyRetain}

	BeforeAll(func(ctx SpecContext) {
		reinstall(ctx)
		s = setStage(ctx, "leaving", time.Hour)
		create(ctx, s.namespace, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "adopted"}, Data: map[string][]byte{"own": []byte("kept")}})
		s.add(ctx, "deleted", v1alpha1.TargetSecret{})
		s.add(ctx, "retained", kept)
		s.add(ctx, "adopted", v1alpha1.TargetSecret{AdoptExisting: true})
	}, NodeTimeout(3*time.Minute))

	It("a credential that is deleted takes its Secret along, unless that is to be retained or was there before", func(ctx SpecContext) {
		s.remove(ctx, "deleted", "retained", "adopted")
		Eventually(ctx, func() error { return s.secret(ctx, "deleted", &corev1.Secret{}) }).Should(Satisfy(apierrors.IsNotFound))
		adopted := &corev1.Secret{}
		Eventually(ctx, func() ([]string, error) {
			err := s.secret(ctx, "adopted", adopted)
			return keys(adopted), err
		}).Should(ConsistOf("own"))
		Expect(adopted.Labels).NotTo(HaveKey(v1alpha1.LabelManagedBy))
		retained := &corev1.Secret{}
		Expect(s.secret(ctx, "retained", retained)).To(Succeed())
		Expect(keys(retained)).To(ContainElement("access_token"))
	})

	It("an uninstalled chart leaves the CRDs, the credentials and their Secrets, which still go with a credential", func(ctx SpecContext) {
		s.add(ctx, "deleted", v1alpha1.TargetSecret{})
		before := s.state(ctx)
		operator.helm(ctx, "uninstall", "--wait")
		Expect(s.state(ctx)).To(Equal(before))
		s.remove(ctx, "deleted")
		Eventually(ctx, func() error { return s.secret(ctx, "deleted", &corev1.Secret{}) }).Should(Satisfy(apierrors.IsNotFound))
		Expect(s.state(ctx)).To(Equal(before))
	})

	It("installed again, it goes on with all that stayed, and asks for no token", func(ctx SpecContext) {
		before := s.state(ctx)
		reinstall(ctx)
		s.add(ctx, "retained", kept)
		Expect(s.state(ctx)).To(Equal(before))
		s.refresh(ctx)
		Eventually(ctx, func() map[string]any { return s.state(ctx) }).ShouldNot(Equal(before), "it works on the credential that stayed")
	})

	It("uninstalled without crds.keep it takes the CRDs, the credentials and their Secrets, but for those to be retained", func(ctx SpecContext) {
		operator.upgrade(ctx, "crds.keep=false")
		operator.helm(ctx, "uninstall", "--wait")
		Eventually(ctx, func() string {
			return kubectl(ctx, "get", "crd", "--selector=app.kubernetes.io/instance="+operator.name, "--output=name")
		}).Should(BeEmpty())
		Eventually(ctx, func() []string { return secrets(ctx, s.namespace) }).
			Should(And(Not(ContainElement("acme-news-token")), ContainElements("retained", "adopted", "acme-news-client")))
	})
})

// reinstall installs the release of all specs where it is not, with the values of the chart.
func reinstall(ctx context.Context) {
	GinkgoHelper()
	operator.helm(ctx, "upgrade", append([]string{chart(), "--install", "--wait"}, values(nil)...)...)
}

// add creates another credential like that of the stage, with a Secret of its own, and waits
// until it is ready.
func (s *stage) add(ctx context.Context, name string, target v1alpha1.TargetSecret) {
	GinkgoHelper()
	credential := &v1alpha1.OAuthCredential{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.credential}, credential)).To(Succeed())
	create(ctx, s.namespace, &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: with(credential.Spec, target)})
	awaitReady(ctx, s.namespace, name)
}

func with(spec v1alpha1.OAuthCredentialSpec, target v1alpha1.TargetSecret) v1alpha1.OAuthCredentialSpec {
	spec.Secret = target
	return spec
}

// remove deletes credentials of the stage.
func (s *stage) remove(ctx context.Context, names ...string) {
	GinkgoHelper()
	for _, name := range names {
		credential := &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
		Expect(api.Delete(ctx, credential)).To(Succeed())
	}
}

// secret reads a Secret of the stage.
func (s *stage) secret(ctx context.Context, name string, into *corev1.Secret) error {
	return api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: name}, into)
}

// keys are those of a Secret. Its values are nothing to print.
func keys(secret *corev1.Secret) []string {
	var names []string
	for name := range secret.Data {
		names = append(names, name)
	}
	return names
}
