package e2e_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/e2e/app/report"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// isolating is when the crowd has gone, because the operator is cut off for longer than
	// its tokens live.
	isolating = slowing - 1
	// hasty is how long a token request may take that is to fail.
	hasty = 5 * time.Second
	// monitoring is the label of the pods that may read metrics.
	monitoring = "prometheus"
)

var _ = Describe("The NetworkPolicy of the chart", isolating, Ordered, ContinueOnFailure, func() {
	var fenced *stage

	BeforeAll(func(ctx SpecContext) {
		fenced = setStage(ctx, "fenced", time.Hour)
		fenced.needEnforcement(ctx)
		const reader = "networkPolicy.metricsFrom[0]"
		operator.upgrade(ctx, "networkPolicy.enabled=true",
			reader+".podSelector.matchLabels.app="+monitoring,
			reader+`.namespaceSelector.matchLabels.kubernetes\.io/metadata\.name=`+fenced.namespace)
		DeferCleanup(func(ctx context.Context) { operator.upgrade(ctx, "networkPolicy.enabled=false") })
	}, NodeTimeout(3*time.Minute))

	It("lets an operator start, and get tokens", func(ctx SpecContext) {
		replaceLeader(ctx)
		before := fenced.issued(ctx)
		fenced.refresh(ctx)
		Eventually(ctx, fenced.issued).WithArguments(ctx).Should(Equal(before + 1))
	})

	It("lets in who may read the metrics, and nobody else", func(ctx SpecContext) {
		metrics := operatorPort(ctx, "metrics")
		stranger := visit(ctx, fenced.namespace, "stranger", metrics, "/metrics")
		astray := visit(ctx, fenced.namespace, monitoring, operatorPort(ctx, "health"), "/healthz")
		visit(ctx, fenced.namespace, monitoring, metrics, "/metrics").awaitAnswer(ctx)
		stranger.awaitSilence(ctx)
		astray.awaitSilence(ctx)
	})

	It("lets out no UDP but to DNS", func(ctx SpecContext) {
		needNode()
		isolated := leader(ctx)
		listener, err := net.ListenPacket("udp4", net.JoinHostPort(isolated.Status.HostIP, "0"))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(listener.Close)
		provider := &corev1.Pod{}
		Expect(api.Get(ctx, client.ObjectKey{Namespace: fenced.namespace, Name: fenced.provider.name}, provider)).To(Succeed())
		// What was sent first comes first, if it comes.
		for _, pod := range []*corev1.Pod{isolated, provider} {
			sendFrom(pod, listener.LocalAddr().String())
		}
		Expect(listener.SetReadDeadline(time.Now().Add(patience))).To(Succeed())
		packet := make([]byte, 1024)
		size, _, err := listener.ReadFrom(packet)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(packet[:size])).To(Equal(provider.Name))
	})

	It("grants nothing that goes unmissed by the specs that follow", func(ctx SpecContext) {
		Expect(permissions(operatorPolicy(ctx).Spec)).To(ConsistOf(metricsIn, namesOut, tcpOut))
	})

	It("is missed without metrics in: nobody reads them", func(ctx SpecContext) {
		withhold(ctx, metricsIn)
		visit(ctx, fenced.namespace, monitoring, operatorPort(ctx, "metrics"), "/metrics").awaitSilence(ctx)
	})

	It("is missed without DNS out: no provider is found, and the credential says where to look", func(ctx SpecContext) {
		withhold(ctx, namesOut)
		// The operator may have a connection to the provider yet.
		replaceLeader(ctx)
		fenced.hasten(ctx)
		fenced.refresh(ctx)
		Eventually(ctx, fenced.message).WithArguments(ctx).Should(And(
			ContainSubstring(v1alpha1.ReasonProviderUnreachable), ContainSubstring("network policies")))
	})

	It("is missed without TCP out: an operator that starts finds no API server, and says so", func(ctx SpecContext) {
		needNode()
		cut := leader(ctx)
		// A new pod is there sooner than the kubelet tries once more.
		DeferCleanup(func(ctx context.Context) { replaceLeader(ctx) })
		withhold(ctx, tcpOut)
		crash(ctx, cut.Namespace, cut.Name, "operator")
		Eventually(ctx, func() (string, error) {
			log, err := core.Pods(cut.Namespace).GetLogs(cut.Name, &corev1.PodLogOptions{Previous: true}).DoRaw(ctx)
			return string(log), err
		}).Should(MatchRegexp(`Get "https://.*: i/o timeout`))
		status, err := containerStatus(ctx, cut.Namespace, cut.Name, "operator")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Ready).To(BeFalse())
	})
})

// needEnforcement skips the spec where nobody enforces network policies. On the node of
// hack/node somebody has to.
func (s *stage) needEnforcement(ctx context.Context) {
	GinkgoHelper()
	pod := &corev1.Pod{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.provider.name}, pod)).To(Succeed())
	policy := &networkingv1.NetworkPolicy{
		ObjectMeta: metav1.ObjectMeta{Name: "nobody"},
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: pod.Labels},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		},
	}
	create(ctx, s.namespace, policy)
	visitor := visit(ctx, s.namespace, "stranger", net.JoinHostPort(pod.Status.PodIP, controlPort), "/healthz")
	if onNode() {
		visitor.awaitSilence(ctx)
	} else if visitor.answered(ctx) {
		Skip("nobody enforces network policies in this cluster: its network plugin would have to")
	}
	Expect(api.Delete(ctx, policy)).To(Succeed())
}

// visit starts a pod that asks an address until it is answered. It is a consumer that takes
// the address for its proxy.
func visit(ctx context.Context, namespace, app, address, path string) *consumer {
	GinkgoHelper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: app + "-", Labels: map[string]string{"app": app}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(false),
			Containers: []corev1.Container{{
				Name:  app,
				Image: image("tokensync-e2e-app"),
				Args:  []string{"consumer", "--proxy=http://" + address, "--url=http://" + address + path},
			}},
		},
	}
	restrict(&pod.Spec)
	create(ctx, namespace, pod)
	return &consumer{way: app, namespace: namespace, pod: pod.Name}
}

// answered tells whether a visitor has an answer, once it has that, or has waited for one in
// vain.
func (c *consumer) answered(ctx context.Context) bool {
	GinkgoHelper()
	var seen report.Consumer
	Eventually(ctx, func() (int, error) {
		var err error
		seen, err = c.report(ctx)
		return seen.Calls["200"] + seen.Waits, err
	}).Should(BeNumerically(">", 0), "the visitor %s does not say what it has seen", c.way)
	return seen.Calls["200"] > 0
}

func (c *consumer) awaitAnswer(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, c.answered).WithArguments(ctx).Should(BeTrue(), "%s has no answer", c.way)
}

func (c *consumer) awaitSilence(ctx context.Context) {
	GinkgoHelper()
	Expect(c.answered(ctx)).To(BeFalse(), "%s has an answer", c.way)
}

// sendFrom sends the name of a pod by UDP to an address, from the network of that pod.
func sendFrom(pod *corev1.Pod, address string) {
	GinkgoHelper()
	network := fmt.Sprintf("/proc/%d/ns/net", processes(pod.Status.ContainerStatuses[0])[0])
	sent := make(chan error)
	go func() {
		// The thread stays in the network of the pod, and ends with this goroutine.
		runtime.LockOSThread()
		sent <- send(network, address, pod.Name)
	}()
	Expect(<-sent).To(Succeed())
}

func send(network, address, text string) error {
	namespace, err := os.Open(network)
	if err != nil {
		return err
	}
	defer func() { _ = namespace.Close() }()
	if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	connection, err := net.Dial("udp4", address)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	_, err = connection.Write([]byte(text))
	return err
}

// operatorPort is the address of a named port of the operator that works.
func operatorPort(ctx context.Context, name string) string {
	GinkgoHelper()
	pod := leader(ctx)
	for _, port := range pod.Spec.Containers[0].Ports {
		if port.Name == name {
			return net.JoinHostPort(pod.Status.PodIP, fmt.Sprint(port.ContainerPort))
		}
	}
	Fail("the operator has no port " + name)
	return ""
}

// hasten gives a token request of the stage less time.
func (s *stage) hasten(ctx context.Context) {
	GinkgoHelper()
	credential := &v1alpha1.OAuthCredential{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.credential}, credential)).To(Succeed())
	before := credential.DeepCopy()
	credential.Spec.Provider.Timeout = &metav1.Duration{Duration: hasty}
	Expect(api.Patch(ctx, credential, client.MergeFrom(before))).To(Succeed())
}

// issued is how many tokens the provider has issued.
func (s *stage) issued(ctx context.Context) int64 {
	GinkgoHelper()
	return s.provider.counts(ctx).TokenRequests[standin.Issued.String()]
}

// message is that of the credential's condition Ready.
func (s *stage) message(ctx context.Context) (string, error) {
	credential := &v1alpha1.OAuthCredential{}
	err := api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.credential}, credential)
	if ready := meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return ready.Message, err
	}
	return "", err
}
