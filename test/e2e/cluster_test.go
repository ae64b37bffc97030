package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// suiteLabel is on each namespace of the suite.
const suiteLabel = "e2e.tokensync.dev/suite"

var (
	// api reads and writes as an administrator.
	api client.Client
	// core is of the same, for the logs of pods and for requests to them.
	core typedcorev1.CoreV1Interface
)

// connect makes the clients of the cluster that KUBECONFIG names.
func connect() {
	GinkgoHelper()
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	scheme, err := cluster.Scheme()
	Expect(err).NotTo(HaveOccurred())
	api, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	core, err = typedcorev1.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
}

// createNamespace makes a namespace whose name begins with prefix and whose pods have to be
// restricted. It is deleted when the spec ends, or the suite where that has made it, unless
// E2E_KEEP is set.
func createNamespace(ctx context.Context, prefix string) string {
	GinkgoHelper()
	return createAs(ctx, metav1.ObjectMeta{GenerateName: prefix + "-"})
}

// createNamed is the same with a name that is always the same one. That of a run before may
// still be going.
func createNamed(ctx context.Context, name string) string {
	GinkgoHelper()
	Eventually(ctx, func() error {
		return api.Get(ctx, client.ObjectKey{Name: name}, &corev1.Namespace{})
	}).Should(Satisfy(apierrors.IsNotFound), "the namespace %s, of another run or left by one with E2E_KEEP, has to go first", name)
	return createAs(ctx, metav1.ObjectMeta{Name: name})
}

func createAs(ctx context.Context, as metav1.ObjectMeta) string {
	GinkgoHelper()
	as.Labels = map[string]string{suiteLabel: "true", "pod-security.kubernetes.io/enforce": "restricted"}
	namespace := &corev1.Namespace{ObjectMeta: as}
	Expect(api.Create(ctx, namespace)).To(Succeed())
	if os.Getenv("E2E_KEEP") == "" {
		DeferCleanup(func(ctx context.Context) error {
			return client.IgnoreNotFound(api.Delete(ctx, namespace))
		})
	}
	// No pod is admitted before its ServiceAccount is there.
	Eventually(ctx, func() error {
		return api.Get(ctx, client.ObjectKey{Namespace: namespace.Name, Name: "default"}, &corev1.ServiceAccount{})
	}).Should(Succeed())
	return namespace.Name
}

// create creates objects in a namespace. Those that are there already stay as they are.
func create(ctx context.Context, namespace string, objects ...client.Object) {
	GinkgoHelper()
	for _, object := range objects {
		object.SetNamespace(namespace)
		Expect(client.IgnoreAlreadyExists(api.Create(ctx, object))).To(Succeed(), "%T %s", object, object.GetName())
	}
}

// awaitPod waits until a pod is ready.
func awaitPod(ctx context.Context, namespace, name string) {
	GinkgoHelper()
	pod := &corev1.Pod{}
	Eventually(ctx, func() (corev1.ConditionStatus, error) {
		err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, pod)
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady {
				return condition.Status, err
			}
		}
		return corev1.ConditionUnknown, err
	}).Should(Equal(corev1.ConditionTrue), "the pod %s is not ready", name)
}

// awaitReady waits until a credential is, and answers the condition.
func awaitReady(ctx context.Context, namespace, name string) metav1.Condition {
	GinkgoHelper()
	credential := &v1alpha1.OAuthCredential{}
	Eventually(ctx, func() ([]metav1.Condition, error) {
		err := api.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, credential)
		return credential.Status.Conditions, err
	}).Should(Satisfy(func(conditions []metav1.Condition) bool {
		return meta.IsStatusConditionTrue(conditions, v1alpha1.ConditionReady)
	}), "the credential %s is not ready", name)
	return *meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionReady)
}

// controlPort is where the parties that run as pods tell what they have seen.
const controlPort = "8080"

// ask gets a path of a pod's control port, by way of the API server, and decodes the answer.
func ask(ctx context.Context, namespace, pod, path string, into any) error {
	answer, err := core.Pods(namespace).ProxyGet("http", pod, controlPort, path, nil).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("get %s of the pod %s: %w", path, pod, err)
	}
	return json.Unmarshal(answer, into)
}
