package failures_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// site is a control plane of its own, with one operator for all that is there:
// providers of the cluster are for operators that work in every namespace.
type site struct {
	controlPlane *cluster.Cluster
	api          client.WithWatch
	process      *running
	credentials  *history
	secrets      *shelf
}

// openSite opens one until the end of the container.
func openSite(ctx SpecContext) *site {
	GinkgoHelper()
	s := &site{}
	var err error
	s.controlPlane, err = cluster.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return s.controlPlane.Stop() })
	s.api, err = client.NewWithWatch(s.controlPlane.Config, client.Options{Scheme: s.controlPlane.Client.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	s.credentials = watchCredentials(ctx, s.api)
	s.secrets = watchSecrets(ctx, s.api)

	// Without the race detector, which would take most of the time that is measured.
	plain, err := operator.Build(ctx, "tokensync-operator-plain")
	Expect(err).NotTo(HaveOccurred())
	log := &output.Log{}
	process, err := operator.Start(ctx, operator.Options{
		Binary:      plain,
		Kubeconfig:  s.controlPlane.Kubeconfig,
		Environment: []string{"POD_NAMESPACE=" + s.namespace(ctx, "operator")},
		Log:         log,
	})
	Expect(err).NotTo(HaveOccurred(), log.String())
	s.process = &running{Process: process, log: log}
	DeferCleanup(s.process.end)
	return s
}

// namespace makes a namespace with a client Secret.
func (s *site) namespace(ctx context.Context, name string) string {
	GinkgoHelper()
	Expect(s.api.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})).To(Succeed())
	s.create(ctx, name, clientSecret)
	return name
}

// create does what `kubectl create -n namespace -f` does, with many manifests at a
// time.
func (s *site) create(ctx context.Context, namespace string, manifests ...string) {
	GinkgoHelper()
	const atATime = 4
	queue := make(chan string, len(manifests))
	for _, manifest := range manifests {
		queue <- manifest
	}
	close(queue)
	var group sync.WaitGroup
	for range atATime {
		group.Go(func() {
			defer GinkgoRecover()
			for manifest := range queue {
				object := &unstructured.Unstructured{}
				Expect(sigsyaml.UnmarshalStrict([]byte(manifest), &object.Object)).To(Succeed(), "%s", manifest)
				object.SetNamespace(namespace)
				Expect(s.api.Create(ctx, object, user)).To(Succeed(), "%s", manifest)
			}
		})
	}
	group.Wait()
}

// share makes a ClusterOAuthProvider, with further lines for its spec.
func (s *site) share(ctx context.Context, name, url, lines string) {
	GinkgoHelper()
	s.create(ctx, "", at(url, fmt.Sprintf(`
apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {name: %s}
spec: {tokenURL: $URL/oauth/token, %s}
`, name, lines)))
}

// subscribe makes so many credentials of a ClusterOAuthProvider, each with a client
// of the same name, and answers their names.
func (s *site) subscribe(ctx context.Context, namespace, provider string, count int) []string {
	GinkgoHelper()
	return s.subscribeAs(ctx, namespace, provider, count, func(_ int, name string) string {
		return "client: {id: " + name + ", secretRef: {name: app-client, key: client_secret}}"
	})
}

// subscribeAs is subscribe, with the lines that make the rest of each spec.
func (s *site) subscribeAs(ctx context.Context, namespace, provider string, count int, lines func(i int, name string) string) []string {
	GinkgoHelper()
	all := names(provider, count)
	manifests := make([]string, 0, count)
	for i, name := range all {
		manifests = append(manifests, fmt.Sprintf(`
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: %s}
spec: {providerRef: {kind: ClusterOAuthProvider, name: %s}, %s}
`, name, provider, lines(i, name)))
	}
	s.create(ctx, namespace, manifests...)
	return all
}

// expectReady waits until all of the credentials are ready.
func (s *site) expectReady(ctx context.Context, namespace string, names []string, within time.Duration) {
	GinkgoHelper()
	Eventually(func() []string { return s.credentials.unready(namespace, names) }).
		WithContext(ctx).WithTimeout(within).WithPolling(100 * time.Millisecond).Should(BeEmpty())
}
