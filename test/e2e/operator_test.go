package e2e_test

import (
	"context"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// quickElection is for tokens as short as those of the crowd. With the defaults of the chart
// the next leader comes after 15 s, which is right for tokens of a minute and more.
var quickElection = []string{
	"leaderElection.leaseDuration=4s", "leaderElection.renewDeadline=3s", "leaderElection.retryPeriod=1s",
}

// just is how long before a token is due its operator is killed, so that it falls due while
// nobody is there.
const just = 3 * time.Second

// All that happens to the operator, while the consumers of the crowd call.
var _ = Describe("An operator that goes is missed by no consumer", func() {
	It("when its pod is deleted", func(ctx SpecContext) {
		operator.upgrade(ctx, quickElection...)
		crowd.outlasts(ctx, func() {
			replaceLeader(ctx)
			crowd.refresh(ctx)
		})
	})

	It("when its process is killed just before a token is due", func(ctx SpecContext) {
		needNode()
		operator.upgrade(ctx, quickElection...)
		awaitDue(ctx, crowd)
		crowd.outlasts(ctx, func() {
			before := leader(ctx)
			crash(ctx, before.Namespace, before.Name, "operator")
		})
	})

	Describe("of two replicas", Ordered, func() {
		BeforeAll(func(ctx SpecContext) {
			operator.upgrade(ctx, append(quickElection, "replicaCount=2")...)
			DeferCleanup(func(ctx context.Context) { operator.upgrade(ctx, "replicaCount=1") })
		})

		// No word of it gets out, as when a node is lost: the lease has to run out.
		It("when the leader is killed, and its pod is gone, just before a token is due", func(ctx SpecContext) {
			needNode()
			awaitDue(ctx, crowd)
			before := leader(ctx)
			crowd.outlasts(ctx, func() {
				crash(ctx, before.Namespace, before.Name, "operator")
				deleteLeader(ctx, before, client.GracePeriodSeconds(0))
			})
		})

		It("when the leader's pod is deleted", func(ctx SpecContext) {
			crowd.outlasts(ctx, func() {
				replaceLeader(ctx)
				crowd.refresh(ctx)
			})
		})
	})
})

// awaitDue waits until a token of the stage is just about to be due.
func awaitDue(ctx context.Context, s *stage) {
	GinkgoHelper()
	credential := &v1alpha1.OAuthCredential{}
	Eventually(ctx, func() (time.Duration, error) {
		err := api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.credential}, credential)
		if err != nil || credential.Status.RefreshAt == nil {
			return s.lifetime, err
		}
		return time.Until(credential.Status.RefreshAt.Time), nil
	}).WithTimeout(2 * s.lifetime).Should(And(BeNumerically("<=", just), BeNumerically(">", just-time.Second)))
}

// leader is the pod that holds the lease of the operator.
func leader(ctx context.Context) *corev1.Pod {
	GinkgoHelper()
	var name string
	Eventually(ctx, func() (string, error) {
		var err error
		name, err = holder(ctx)
		return name, err
	}).ShouldNot(BeEmpty())
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: operator.namespace, Name: name}}
	Expect(api.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
	return pod
}

// replaceLeader deletes the pod that holds the lease, and waits until another one does.
func replaceLeader(ctx context.Context) {
	GinkgoHelper()
	deleteLeader(ctx, leader(ctx))
}

func deleteLeader(ctx context.Context, pod *corev1.Pod, options ...client.DeleteOption) {
	GinkgoHelper()
	Expect(api.Delete(ctx, pod, options...)).To(Succeed())
	Eventually(ctx, holder).WithArguments(ctx).ShouldNot(Or(BeEmpty(), Equal(pod.Name)))
}

// holder is the name of the pod that holds the lease; nobody does after one that has ended
// in good order.
func holder(ctx context.Context) (string, error) {
	lease := &coordinationv1.Lease{}
	err := api.Get(ctx, client.ObjectKey{Namespace: operator.namespace, Name: "tokensync-operator"}, lease)
	if lease.Spec.HolderIdentity == nil {
		return "", err
	}
	pod, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
	return pod, err
}
