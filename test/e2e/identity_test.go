package e2e_test

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The cluster itself says who asks, and the provider believes nobody else: no secret of a
// client exists.
var _ = Describe("A credential whose client is a ServiceAccount", Ordered, func() {
	const audience = "https://news.example.com"
	var (
		account *corev1.ServiceAccount
		s       *stage
	)

	BeforeAll(func(ctx SpecContext) {
		namespace := createNamespace(ctx, "identity")
		account = &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "news-reader"}}
		p := startVerifier(ctx, createNamespace(ctx, "verifier"), "system:serviceaccount:"+namespace+":"+account.Name, audience)
		s = &stage{namespace: namespace, provider: p, lifetime: time.Hour, credential: "acme-news"}
		trusted := &corev1.ConfigMap{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: p.namespace, Name: authority}, trusted)).To(Succeed())
		create(ctx, namespace, account,
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: authority}, Data: trusted.Data},
			&v1alpha1.OAuthCredential{
				ObjectMeta: metav1.ObjectMeta{Name: s.credential},
				Spec: v1alpha1.OAuthCredentialSpec{
					Provider: p.endpoint("/plain/oauth/token"),
					Client:   v1alpha1.Client{ServiceAccount: &v1alpha1.ServiceAccountToken{Name: account.Name, Audience: audience}},
					Secret:   v1alpha1.TargetSecret{Name: "acme-news-token"},
				},
			})
	})

	It("gets no token while the ServiceAccount does not consent", func(ctx SpecContext) {
		credential := &v1alpha1.OAuthCredential{}
		Eventually(ctx, func() (*metav1.Condition, error) {
			err := api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.credential}, credential)
			return meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionStalled), err
		}).Should(HaveValue(And(
			HaveField("Status", metav1.ConditionTrue),
			HaveField("Reason", v1alpha1.ReasonServiceAccountRefused),
			HaveField("Message", ContainSubstring("does not consent")),
		)))
		Expect(s.provider.counts(ctx).TokenRequests).To(BeEmpty())
		Expect(secrets(ctx, s.namespace)).To(BeEmpty())
	})

	It("gets one once it does, by the cluster's keys and a TokenReview, and no other Secret exists", func(ctx SpecContext) {
		before := account.DeepCopy()
		account.Annotations = map[string]string{v1alpha1.AnnotationAudiences: audience}
		Expect(api.Patch(ctx, account, client.MergeFrom(before))).To(Succeed())
		s.refresh(ctx)
		awaitReady(ctx, s.namespace, s.credential)
		s.start(ctx, mounted)
		counts := s.provider.counts(ctx)
		Expect(counts.TokenRequests).To(Equal(map[string]int64{standin.Issued.String(): 1}), counts.LastProblem)
		Expect(secrets(ctx, s.namespace)).To(ConsistOf("acme-news-token"))
	})

	It("gets none for an audience that the ServiceAccount has not listed", func(ctx SpecContext) {
		other := &v1alpha1.OAuthCredential{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.credential}, other)).To(Succeed())
		other.ObjectMeta = metav1.ObjectMeta{Name: "other"}
		other.Spec.Client.ServiceAccount.Audience = "https://other.example.com"
		other.Spec.Secret.Name = ""
		create(ctx, s.namespace, other)
		Eventually(ctx, func() (*metav1.Condition, error) {
			err := api.Get(ctx, client.ObjectKeyFromObject(other), other)
			return meta.FindStatusCondition(other.Status.Conditions, v1alpha1.ConditionStalled), err
		}).Should(HaveValue(HaveField("Reason", v1alpha1.ReasonServiceAccountRefused)))
		Expect(secrets(ctx, s.namespace)).To(ConsistOf("acme-news-token"))
	})
})

// secrets are the names of those of a namespace.
func secrets(ctx context.Context, namespace string) []string {
	GinkgoHelper()
	list := &corev1.SecretList{}
	Expect(api.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
	var names []string
	for _, secret := range list.Items {
		names = append(names, secret.Name)
	}
	return names
}

// startVerifier starts a provider that knows no client by a secret, and one by the tokens of
// a ServiceAccount for an audience.
func startVerifier(ctx context.Context, namespace, subject, audience string) *provider {
	GinkgoHelper()
	p := &provider{namespace: namespace, name: "provider"}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: p.name}}
	mayReviewTokens(ctx, namespace, account.Name)
	create(ctx, namespace, account)
	pod := p.newPod("--lifetime=1h", "--subject="+subject, "--audience="+audience)
	pod.Spec.ServiceAccountName = account.Name
	p.start(ctx, pod)
	return p
}

// mayReviewTokens gives a ServiceAccount the right to ask whose a token is.
func mayReviewTokens(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: namespace + "-" + name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}},
	}
	Expect(api.Create(ctx, binding)).To(Succeed())
	DeferCleanup(func(ctx context.Context) error { return client.IgnoreNotFound(api.Delete(ctx, binding)) })
}
