package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/test/e2e/app/report"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// What goes wrong on a node. The consumers of the crowd call all the while.
var _ = Describe("On a node", func() {
	It("a kubelet that is restarted goes on to bring tokens to pods", func(ctx SpecContext) {
		needNode()
		crowd.outlasts(ctx, func() {
			restartKubelet(ctx)
			crowd.refresh(ctx)
		})
	})

	It("a sidecar that is killed leaves its files, and goes on with the next token", func(ctx SpecContext) {
		needNode()
		crowd.outlasts(ctx, func() {
			for _, w := range []way{fromFile, injected} {
				c := crowd.consumer(w)
				crash(ctx, c.namespace, c.pod, sidecarOf(ctx, c))
			}
			crowd.refresh(ctx)
		})
	})

	It("a sidecar that is killed as a proxy is away for a moment, and lets no call be refused", func(ctx SpecContext) {
		needNode()
		// One of its own, because those of the crowd may miss no answer.
		c := startConsumer(ctx, crowd, byProxy)
		awaitPod(ctx, c.namespace, c.pod)
		crash(ctx, c.namespace, c.pod, sidecarOf(ctx, c))
		killed := time.Now()
		crowd.refresh(ctx)
		var seen report.Consumer
		Eventually(ctx, func() (time.Time, error) {
			var err error
			seen, err = c.report(ctx)
			return issued(seen), err
		}).WithTimeout(crowd.lifetime + patience).Should(BeTemporally(">", killed))
		Expect(seen.Unanswered).To(BeNumerically(">", 0), "calls while there was no proxy")
		Expect(seen.Refused()).To(BeZero())
	})
})

// outlasts disturbs what is around the stage, and waits until a call of each consumer was
// accepted with a token that was issued after that. It fails as soon as one is refused, or
// finds no token. What was before is for others to judge.
func (s *stage) outlasts(ctx context.Context, disturb func()) {
	GinkgoHelper()
	refused, begun := s.refused(ctx), time.Now()
	disturb()
	over := time.Now()
	for _, c := range s.consumers {
		Eventually(ctx, func() (time.Time, error) {
			seen, err := c.report(ctx)
			if wrong := seen.LastError; wrong != nil && wrong.At.After(begun) {
				return over, StopTrying("something went wrong for the consumer by "+c.way).Attach("last error", wrong)
			}
			return issued(seen), err
		}).WithTimeout(s.lifetime+patience).Should(BeTemporally(">", over),
			"the consumer by %s has no token that was issued after the disturbance", c.way)
	}
	Expect(s.refused(ctx)).To(Equal(refused), "calls that the service says it refused")
}

// issued is when the newest token was that a call was accepted with.
func issued(seen report.Consumer) time.Time {
	tokens := seen.AcceptedTokens()
	if len(tokens) == 0 {
		return time.Time{}
	}
	return slices.MaxFunc(tokens, func(a, b report.Token) int { return a.IssuedAt.Compare(b.IssuedAt) }).IssuedAt
}

// sidecarOf is the name of the consumer's sidecar.
func sidecarOf(ctx context.Context, c *consumer) string {
	GinkgoHelper()
	pod := &corev1.Pod{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: c.namespace, Name: c.pod}, pod)).To(Succeed())
	Expect(pod.Spec.InitContainers).To(HaveLen(1))
	return pod.Spec.InitContainers[0].Name
}

// crash kills the processes of a container, as the kernel does when memory is short, and
// waits until the kubelet has started it again.
func crash(ctx context.Context, namespace, pod, container string) {
	GinkgoHelper()
	before, err := containerStatus(ctx, namespace, pod, container)
	Expect(err).NotTo(HaveOccurred())
	for _, process := range processes(before) {
		Expect(syscall.Kill(process, syscall.SIGKILL)).To(Succeed())
	}
	Eventually(ctx, func() (int32, error) {
		after, err := containerStatus(ctx, namespace, pod, container)
		if after.State.Running == nil {
			return before.RestartCount, err
		}
		return after.RestartCount, err
	}).Should(Equal(before.RestartCount+1), "restarts of the container %s of the pod %s", container, pod)
}

func containerStatus(ctx context.Context, namespace, name, container string) (corev1.ContainerStatus, error) {
	pod := &corev1.Pod{}
	if err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, pod); err != nil {
		return corev1.ContainerStatus{}, err
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if status.Name == container {
			return status, nil
		}
	}
	return corev1.ContainerStatus{}, StopTrying("the pod " + name + " has no container " + container)
}

// processes are the numbers of those that a container runs, by the cgroups that they are in.
func processes(status corev1.ContainerStatus) []int {
	GinkgoHelper()
	_, container, _ := strings.Cut(status.ContainerID, "://")
	Expect(container).NotTo(BeEmpty(), "the id of the container")
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	Expect(err).NotTo(HaveOccurred())
	var found []int
	for _, file := range files {
		groups, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(groups), container) {
			continue // Another one's, or it has ended.
		}
		process, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		Expect(err).NotTo(HaveOccurred())
		found = append(found, process)
	}
	Expect(found).NotTo(BeEmpty(), "processes of the container %s", container)
	return found
}
