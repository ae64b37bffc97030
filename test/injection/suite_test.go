package injection_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The annotations that pods are asked for the sidecar by.
const (
	injectSecret     = "tokensync.dev/inject-secret"
	injectPath       = "tokensync.dev/inject-path"
	injectHealthPort = "tokensync.dev/inject-health-port"
)

var (
	api client.Client
	// namespace demands nothing of its pods, restricted what the Pod Security Standard of
	// that name does.
	namespace, restricted string
	// untouched are pods that ask for nothing, as the API server makes them without the
	// policies.
	untouched []string
)

func TestInjection(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Injection")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	api = start()
	namespace = newNamespace(ctx, "privileged")
	restricted = newNamespace(ctx, "restricted")
	for _, pod := range plain() {
		untouched = append(untouched, lasting(create(ctx, pod)))
	}
	for _, file := range []string{
		"mutating_policy.yaml", "mutating_policy_binding.yaml", "validating_policy.yaml", "validating_policy_binding.yaml",
	} {
		apply(ctx, file)
	}
	// The API server takes a moment until it follows a policy.
	Eventually(ctx, func(ctx context.Context) error {
		_, err := judged(ctx, annotated(app(), injectSecret, "No Name"))
		return err
	}).Should(MatchError(ContainSubstring("make it the name of a Secret")))
	Eventually(ctx, func(ctx context.Context) (*corev1.Pod, error) { return judged(ctx, asking(app())) }).
		Should(HaveField("Spec.InitContainers", Not(BeEmpty())))
})

// start starts an API server that admits as that of a cluster does: with the ServiceAccount
// plugin, which the other suites go without.
func start() client.Client {
	GinkgoHelper()
	server, err := cluster.Start(cluster.DefaultAdmission)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(server.Stop)
	config := rest.CopyConfig(server.Config)
	config.WarningHandler = rest.NoWarnings{}
	c, err := client.New(config, client.Options{Scheme: server.Client.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// newNamespace makes a namespace that enforces a Pod Security Standard, and the
// ServiceAccount that a controller would make.
func newNamespace(ctx context.Context, standard string) string {
	GinkgoHelper()
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: standard + "-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": standard},
	}}
	Expect(api.Create(ctx, object)).To(Succeed())
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: object.Name, Name: "default"}}
	Expect(api.Create(ctx, account)).To(Succeed())
	return object.Name
}

// read reads a file of config/.
func read(elements ...string) string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(append([]string{cluster.Root(), "config"}, elements...)...))
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// apply applies a manifest of config/injection as it is shipped.
func apply(ctx context.Context, file string) {
	GinkgoHelper()
	object := map[string]any{}
	Expect(yaml.UnmarshalStrict([]byte(read("injection", file)), &object)).To(Succeed())
	configuration := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: object})
	Expect(api.Apply(ctx, configuration, client.FieldOwner("injection-test"))).To(Succeed())
}
