package failures_test

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Two operators that do not know of each other", func() {
	It("never send one refresh token twice, through 40 refreshes", func(ctx SpecContext) {
		const refreshes = 40
		r := startRotating(ctx, 6, 3*time.Second, standin.Rotation{Grace: standin.GraceNone})
		r.Misbehave(standin.Behavior{AfterRotation: true, Delay: 200 * time.Millisecond})
		senders := watchSenders(ctx, r.namespace)
		behind := openDoor()
		slow, quick := launchBehind(ctx, behind, r.namespace), launchBehind(ctx, openDoor(), r.namespace)
		expectReady(ctx, r.namespace, r.names...)

		By("holding one of them up between its look and its attempt, until the other is done")
		var name string
		held := behind.hold(false, func(request *http.Request, body []byte) bool {
			at := slices.IndexFunc(r.names, func(name string) bool { return attempts(name)(request, body) })
			if at >= 0 {
				name = r.names[at]
			}
			return at >= 0
		})
		Eventually(held.caught).WithContext(ctx).Should(BeClosed())
		before := r.count(name)()
		Eventually(func() bool { return r.count(name)() > before && r.whyUnkept(ctx, name) == "" }).WithContext(ctx).Should(BeTrue())
		close(held.open)

		By("letting them race")
		Eventually(func() int64 {
			r.expectUnharmed()
			refreshed, _ := r.refreshed()
			return refreshed
		}).WithContext(ctx).WithTimeout(40 * time.Second).Should(BeNumerically(">=", refreshes))
		Eventually(senders.pids).WithContext(ctx).WithTimeout(20*time.Second).Should(ConsistOf(slow.PID(), quick.PID()), "both must have been at it")
		r.expectUnharmed()
		expectReady(ctx, r.namespace, r.names...)
		for _, process := range []*running{slow, quick} {
			Expect(process.Stop()).To(Succeed())
			process.expectUnbroken()
		}
	})
})

// senders are the processes that have written an attempt down. It is safe for concurrent
// use.
type senders struct {
	mu    sync.Mutex
	known map[int]bool
}

// watchSenders watches the grants of a namespace until whoever began it ends.
func watchSenders(ctx SpecContext, namespace string) *senders {
	GinkgoHelper()
	s := &senders{known: map[int]bool{}}
	follow(ctx, api, &corev1.SecretList{}, func(object client.Object, _ time.Time) {
		secret, ok := object.(*corev1.Secret)
		if !ok {
			return
		}
		if record, err := grant.Decode(secret.Data); err == nil && record.Attempt != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.known[record.Attempt.Owner.PID] = true
		}
	}, client.InNamespace(namespace), client.MatchingLabels{v1alpha1.LabelRole: v1alpha1.RoleGrant})
	return s
}

func (s *senders) pids() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.known))
}
