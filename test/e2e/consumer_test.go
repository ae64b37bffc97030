package e2e_test

import (
	"context"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/test/e2e/app/report"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// authorityFolder is where pods have the CA of the provider.
const authorityFolder = "/etc/provider-ca"

// way is one in which a pod gets at the token, as the documentation shows it.
type way struct {
	name string
	// objects are the pod and what it needs.
	objects func() []client.Object
	// arguments tell the consumer where the token is.
	arguments []string
}

// The ways, with a consumer that looks often enough to tell when a token came.
var (
	mounted = way{
		"mounted Secret",
		func() []client.Object { return []client.Object{the[*corev1.Pod](documented("README.md", "Example"))} },
		[]string{"--token-file=/var/run/token/access_token"},
	}
	fromFile = way{
		"file of the sidecar", tokenReader("File of the sidecar"),
		[]string{"--token-file=/var/run/token/access_token"},
	}
	fromEndpoint = way{
		"loopback endpoint", tokenReader("Loopback endpoint"),
		[]string{"--token-endpoint=http://127.0.0.1:9807/token", "--poll=5ms"},
	}
	byProxy = way{
		"proxy", tokenReader("Proxy"),
		[]string{"--proxy=http://127.0.0.1:9806", "--interval=5ms"},
	}
	injected = way{
		"injected sidecar", func() []client.Object { return sampled("injected.yaml") },
		[]string{"--token-file=/var/run/acme-news/access_token"},
	}
	everyWay = []way{mounted, fromFile, fromEndpoint, byProxy, injected}
)

// tokenReader answers the pod below a heading of the page on the ways, with the rights that
// the page gives to all pods that have a sidecar.
func tokenReader(heading string) func() []client.Object {
	const page = "docs/getting-the-token.md"
	return func() []client.Object {
		_, rights := podOf(documented(page, "File of the sidecar"))
		pod, _ := podOf(documented(page, heading))
		return append(rights, pod)
	}
}

// consumer is a pod that calls the protected service all the time.
type consumer struct{ way, namespace, pod string }

// startConsumer starts the pod of a way with the consumer for its app.
func startConsumer(ctx context.Context, s *stage, w way) *consumer {
	GinkgoHelper()
	pod, others := podOf(w.objects())
	create(ctx, s.namespace, others...)
	pod.Name, pod.GenerateName = "", strings.ReplaceAll(w.name, " ", "-")+"-"
	pod.GenerateName = strings.ToLower(pod.GenerateName)
	equip(&pod.Spec, s.provider, w.arguments...)
	pod.Namespace = s.namespace
	if pod.Annotations["tokensync.dev/inject-secret"] != "" {
		awaitInjection(ctx, pod)
	}
	Expect(api.Create(ctx, pod)).To(Succeed(), w.name)
	return &consumer{way: w.name, namespace: s.namespace, pod: pod.Name}
}

// awaitInjection waits until the API server follows the policies, which it does a moment
// after they were made.
func awaitInjection(ctx context.Context, pod *corev1.Pod) {
	GinkgoHelper()
	Eventually(ctx, func() ([]corev1.Container, error) {
		tried := pod.DeepCopy()
		err := api.Create(ctx, tried, client.DryRunAll)
		return tried.Spec.InitContainers, err
	}).ShouldNot(BeEmpty(), "no sidecar is injected")
}

// equip puts the consumer in the place of a documented pod's app, the images and the service
// of the suite in the place of the documented ones, and restricts the pod.
func equip(spec *corev1.PodSpec, p *provider, arguments ...string) {
	mount := corev1.VolumeMount{Name: authority, MountPath: authorityFolder, ReadOnly: true}
	spec.Volumes = append(spec.Volumes, corev1.Volume{Name: authority, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: authority}},
	}})
	for i := range spec.InitContainers {
		sidecar := &spec.InitContainers[i]
		sidecar.Image = image("tokensync-sidecar")
		for j, argument := range sidecar.Args {
			if strings.HasPrefix(argument, "--proxy-upstream=") {
				sidecar.Args[j] = "--proxy-upstream=" + p.url()
			}
		}
		// A proxy has to trust its upstream as it would trust one on the internet.
		sidecar.Env = append(sidecar.Env, corev1.EnvVar{Name: "SSL_CERT_FILE", Value: authorityFolder + "/" + authorityKey})
		sidecar.VolumeMounts = append(sidecar.VolumeMounts, mount)
	}
	app := &spec.Containers[0]
	app.Image, app.Command = image("tokensync-e2e-app"), nil
	app.Args = append([]string{"consumer", "--url=" + p.url() + "/api/articles", "--ca=" + authorityFolder + "/" + authorityKey}, arguments...)
	app.ReadinessProbe = probe("/healthz")
	app.Resources = corev1.ResourceRequirements{}
	app.VolumeMounts = append(app.VolumeMounts, mount)
	restrict(spec)
}

// report is what the consumer has seen until now.
func (c *consumer) report(ctx context.Context) (report.Consumer, error) {
	var seen report.Consumer
	return seen, ask(ctx, c.namespace, c.pod, "/report", &seen)
}

// await waits until the consumer has seen something, and fails as soon as a call was not
// accepted, or the token was missing.
func (c *consumer) await(ctx context.Context, within time.Duration, what string, seen func(report.Consumer) bool) report.Consumer {
	GinkgoHelper()
	var last report.Consumer
	Eventually(ctx, func() (bool, error) {
		r, err := c.report(ctx)
		if err != nil {
			return false, err
		}
		last = r
		if r.FirstError != nil {
			return false, StopTrying("something went wrong for the consumer by "+c.way).
				Attach("first error", r.FirstError).Attach("last error", r.LastError).Attach("calls", r.Calls)
		}
		return seen(r), nil
	}).WithTimeout(within).Should(BeTrue(), "the consumer by %s: %s", c.way, what)
	return last
}

// awaitTokens waits until calls with so many different tokens were accepted.
func (c *consumer) awaitTokens(ctx context.Context, number int, within time.Duration) report.Consumer {
	GinkgoHelper()
	return c.await(ctx, within, "too few tokens", func(r report.Consumer) bool { return len(r.AcceptedTokens()) >= number })
}

// awaitLifetimes waits until the consumer has called for so many lifetimes of its tokens.
func (c *consumer) awaitLifetimes(ctx context.Context, number int, lifetime time.Duration) report.Consumer {
	GinkgoHelper()
	span := time.Duration(number) * lifetime
	return c.await(ctx, span+lifetime+patience, "it has not called for long enough", func(r report.Consumer) bool {
		tokens := r.AcceptedTokens()
		return len(tokens) > number && slices.MaxFunc(tokens, later).AcceptedAt.Sub(tokens[0].AcceptedAt) >= span
	})
}

func later(a, b report.Token) int { return a.AcceptedAt.Compare(b.AcceptedAt) }
