package sidecar_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// takeOver is longer than a replica waits for one that has died.
const takeOver = 40 * time.Second

var _ = Describe("Replicas that share a Secret", func() {
	var (
		provider  *asked
		namespace string
	)
	BeforeEach(func(ctx SpecContext) {
		provider = newAsked(ctx).(*asked)
		namespace = createNamespace(ctx)
	})
	replica := func(ctx context.Context) *agent {
		GinkgoHelper()
		return startAgent(ctx, append(provider.arguments(),
			"--secret-output=shared", "--namespace="+namespace, "--kubeconfig="+controlPlane.Kubeconfig)...)
	}
	shared := func(ctx context.Context) (*corev1.Secret, error) {
		secret := &corev1.Secret{}
		return secret, controlPlane.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: "shared"}, secret)
	}
	leads := func(a *agent) bool { return strings.Contains(a.log.String(), `"msg":"holds the Lease"`) }
	issued := func(replicas ...*agent) func() int {
		return func() int {
			count := 0
			for _, a := range replicas {
				count += strings.Count(a.log.String(), "A token was issued")
			}
			return count
		}
	}

	It("ask for one token between them, and go on when the one that asks is gone", func(ctx SpecContext) {
		one := holding("one", time.Now().Add(time.Hour))
		provider.put(ctx, one)
		replicas := []*agent{replica(ctx), replica(ctx)}
		for _, a := range replicas {
			Eventually(ctx, a.files).Should(Equal(one.files()))
			Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		}
		Expect(issued(replicas...)()).To(Equal(1))
		secret, err := shared(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.OwnerReferences).To(BeEmpty(), "there is no credential in the cluster that it could go with")
		Expect(secret.Labels).To(HaveKeyWithValue(v1alpha1.LabelCredential, "api"))
		Expect(secret.Annotations).To(HaveKeyWithValue(v1alpha1.AnnotationKeptBy, "tokensync-sidecar"))
		Expect(secret.Annotations).To(HaveKey(v1alpha1.AnnotationExpiresAt))

		By("the replica that asks is killed")
		leader, other := replicas[0], replicas[1]
		if leads(other) {
			leader, other = other, leader
		}
		Expect(leads(other)).To(BeFalse())
		Expect(leader.Kill()).To(Succeed())
		two := holding("two", time.Now().Add(time.Hour))
		provider.hold(two)
		Eventually(ctx, leads).WithArguments(other).WithTimeout(takeOver).Should(BeTrue())
		Consistently(ctx, issued(other)).Should(BeZero(), "the token of the Secret is good")
		provider.put(ctx, two) // A reason to ask.
		Eventually(ctx, other.files).Should(Equal(two.files()))

		By("another one begins with what is there, and hears of what comes")
		third := replica(ctx)
		Eventually(ctx, third.files).Should(Equal(two.files()))
		Eventually(ctx, shared).WithArguments(ctx).Should(HaveField("Data", HaveKeyWithValue(tokenKey, []byte("two"))))
		three := holding("three", time.Now().Add(time.Hour))
		provider.hold(three)
		ask(ctx, namespace, "shared")
		Eventually(ctx, third.files).Should(Equal(three.files()), "the Secret asks for a refresh, and who leads hears of it")
		Expect(issued(third)()).To(BeZero())

		By("the replica that asks ends in good order")
		Expect(other.Stop()).To(Succeed())
		Eventually(ctx, leads).WithArguments(third).Should(BeTrue())
	})

	It("put the token back into the Secret, and do not believe what others write there", func(ctx SpecContext) {
		one := holding("one", time.Now().Add(time.Hour))
		provider.put(ctx, one)
		a := replica(ctx)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		token := func(ctx context.Context) (string, error) {
			secret, err := shared(ctx)
			return string(secret.Data[tokenKey]), err
		}

		By("the Secret is deleted")
		secret, err := shared(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(controlPlane.Client.Delete(ctx, secret)).To(Succeed())
		Eventually(ctx, token).WithArguments(ctx).Should(Equal("one"))
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))

		By("the token is overwritten")
		patch := client.RawPatch(types.MergePatchType, []byte(`{"stringData": {"access_token": "garbage"}}`))
		Expect(controlPlane.Client.Patch(ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shared"}}, patch)).To(Succeed())
		Eventually(ctx, token).WithArguments(ctx).WithTimeout(takeOver).Should(Equal("one"))
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Expect(a.files()).To(Equal(one.files()))
		Expect(issued(a)()).To(Equal(1), "a repair takes no token")
	})

	It("do not fall back to the token before while the API server is away", func(ctx SpecContext) {
		provider.put(ctx, holding("one", time.Now().Add(time.Hour)))
		a := replica(ctx)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		start := sync.OnceFunc(killServer(ctx))
		DeferCleanup(start)
		two := holding("two", time.Now().Add(time.Hour))
		provider.put(ctx, two)
		Eventually(ctx, a.files).Should(Equal(two.files()))
		Eventually(ctx, a.log.String).WithTimeout(takeOver).Should(ContainSubstring("has lost the Lease"))

		start()
		Eventually(ctx, func(ctx context.Context) (string, error) {
			secret, err := shared(ctx)
			return string(secret.Data[tokenKey]), err
		}).WithArguments(ctx).WithTimeout(time.Minute).Should(Equal("two"))
		Expect(a.files()).To(Equal(two.files()))
		Expect(issued(a)()).To(Equal(2))
	}, SpecTimeout(2*time.Minute))

	It("end with --once when the Secret holds a good token already", func(ctx SpecContext) {
		provider.put(ctx, holding("one", time.Now().Add(time.Hour)))
		for range 2 {
			j := startJob(ctx, nil, append(provider.arguments(), "--once", "--secret-output=shared", "--namespace="+namespace,
				"--kubeconfig="+controlPlane.Kubeconfig)...)
			Expect(j.end(ctx).code).To(BeZero())
		}
	})

	It("serve a refresh that was asked for while none of them was there", func(ctx SpecContext) {
		provider.put(ctx, holding("one", time.Now().Add(time.Hour)))
		a := replica(ctx)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Expect(a.Stop()).To(Succeed())
		two := holding("two", time.Now().Add(time.Hour))
		provider.hold(two)
		ask(ctx, namespace, "shared")
		b := replica(ctx)
		Eventually(ctx, b.files).Should(Equal(two.files()))
	})

	DescribeTable("leave a Secret alone that is not theirs, and ask for no token in vain", func(ctx SpecContext, labels map[string]string) {
		foreign := &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shared", Labels: labels}, StringData: map[string]string{"password": "theirs"},
		}
		Expect(controlPlane.Client.Create(ctx, foreign)).To(Succeed())
		one := holding("one", time.Now().Add(time.Hour))
		provider.put(ctx, one)
		a := replica(ctx)
		Eventually(ctx, a.log.String).Should(ContainSubstring("delete it, or give --secret-output another name"))
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(And(HavePrefix("503"), ContainSubstring("exists and is not that of this credential")))
		secret, err := shared(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(secret.ResourceVersion).To(Equal(foreign.ResourceVersion))
		Expect(a.listed()).To(BeEmpty())
		Expect(issued(a)()).To(BeZero())

		By("the Secret is deleted")
		Expect(controlPlane.Client.Delete(ctx, foreign)).To(Succeed())
		Eventually(ctx, a.readiness).WithArguments(ctx).WithTimeout(takeOver).Should(Equal(ready))
		Expect(issued(a)()).To(Equal(1))
	},
		Entry("by somebody else", nil),
		Entry("by an operator, for a credential of that name", map[string]string{
			v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: "api",
		}),
	)
})

// ask asks for a refresh by the annotation on a Secret.
func ask(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	patch := fmt.Sprintf(`{"metadata": {"annotations": {%q: %q}}}`, v1alpha1.AnnotationRefreshRequestedAt, time.Now().Format(time.RFC3339Nano))
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	Expect(controlPlane.Client.Patch(ctx, secret, client.RawPatch(types.MergePatchType, []byte(patch)))).To(Succeed())
}
