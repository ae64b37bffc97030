package e2e_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// An operator for some namespaces takes the place of the one for all, which would do its work
// everywhere.
var _ = Describe("An operator with watchNamespaces", removing, Ordered, func() {
	var (
		watched, elsewhere *stage
		scoped             *release
		// user is the ServiceAccount of the operator, as the API server calls it.
		user string
	)

	BeforeAll(func(ctx SpecContext) {
		watched = setStage(ctx, "watched", time.Hour)
		elsewhere = setStage(ctx, "elsewhere", time.Hour)
		operator.helm(ctx, "uninstall", "--wait")
		scoped = install(ctx, "scoped", createNamespace(ctx, "scoped-system"),
			"watchNamespaces={"+watched.namespace+"}", "serviceAccountTokens.enabled=true", "crds.enabled=false")
		deployments := &appsv1.DeploymentList{}
		Expect(api.List(ctx, deployments, client.InNamespace(scoped.namespace))).To(Succeed())
		Expect(deployments.Items).To(HaveLen(1))
		user = "system:serviceaccount:" + scoped.namespace + ":" + deployments.Items[0].Spec.Template.Spec.ServiceAccountName
	}, NodeTimeout(3*time.Minute))

	It("works there, and leaves a credential elsewhere as it is", func(ctx SpecContext) {
		before := elsewhere.state(ctx)
		elsewhere.refresh(ctx)
		watched.refresh(ctx)
		Eventually(ctx, func() map[string]int64 { return watched.provider.counts(ctx).TokenRequests }).
			Should(HaveKeyWithValue(standin.Issued.String(), BeEquivalentTo(2)))
		awaitReady(ctx, watched.namespace, watched.credential)
		Expect(elsewhere.state(ctx)).To(Equal(before))
	})

	It("is given no right over the cluster", func(ctx SpecContext) {
		of := client.MatchingLabels{"app.kubernetes.io/instance": scoped.name}
		roles, bindings := &rbacv1.ClusterRoleList{}, &rbacv1.ClusterRoleBindingList{}
		Expect(api.List(ctx, roles, of)).To(Succeed())
		Expect(roles.Items).To(BeEmpty())
		Expect(api.List(ctx, bindings)).To(Succeed())
		for _, binding := range bindings.Items {
			Expect(binding.Subjects).NotTo(ContainElement(HaveField("Namespace", scoped.namespace)), binding.Name)
		}
	})

	DescribeTable("can do what it must, and only there",
		func(ctx SpecContext, verb, resource string, flags ...string) {
			right := append([]string{verb, resource, "--as=" + user}, flags...)
			Expect(can(ctx, append(right, "--namespace="+watched.namespace)...)).To(BeTrue(), "in the watched namespace")
			Expect(can(ctx, append(right, "--namespace="+elsewhere.namespace)...)).To(BeFalse(), "in another namespace")
			Expect(can(ctx, append(right, "--all-namespaces")...)).To(BeFalse(), "in all namespaces")
		},
		func(verb, resource string, flags ...string) string {
			return strings.Join(append([]string{verb, resource}, flags...), " ")
		},
		Entry(nil, "get", "secrets"),
		Entry(nil, "list", "secrets"),
		Entry(nil, "patch", "secrets"),
		Entry(nil, "delete", "secrets"),
		Entry(nil, "watch", "configmaps"),
		Entry(nil, "list", "oauthcredentials.tokensync.dev"),
		Entry(nil, "patch", "oauthcredentials.tokensync.dev", "--subresource=status"),
		Entry(nil, "create", "serviceaccounts", "--subresource=token"),
	)

	It("can do elsewhere what any ServiceAccount can, and no more", func(ctx SpecContext) {
		list := func(user, namespace string) string {
			return kubectl(ctx, "auth", "can-i", "--list", "--namespace="+namespace, "--as="+user)
		}
		own := list(user, elsewhere.namespace)
		Expect(own).To(Equal(list("system:serviceaccount:"+scoped.namespace+":default", elsewhere.namespace)))
		Expect(own).NotTo(ContainSubstring("secrets"))
		Expect(list(user, scoped.namespace)).To(And(ContainSubstring("leases"), Not(ContainSubstring("secrets"))))
		Expect(list(user, watched.namespace)).To(ContainSubstring("secrets"))
	})
})

// state is what becomes visible of the work on the stage's credential.
func (s *stage) state(ctx context.Context) map[string]any {
	GinkgoHelper()
	credential, secret := &v1alpha1.OAuthCredential{}, &corev1.Secret{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: s.credential}, credential)).To(Succeed())
	Expect(api.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: credential.Status.SecretName}, secret)).To(Succeed())
	return map[string]any{
		"status": credential.Status, "secret": secret.ResourceVersion, "requests": s.provider.counts(ctx).TokenRequests,
	}
}

// can asks whether somebody has a right, as the arguments of `kubectl auth can-i` say.
func can(ctx context.Context, arguments ...string) bool {
	GinkgoHelper()
	arguments = append([]string{"auth", "can-i"}, arguments...)
	output, err := exec.CommandContext(ctx, filepath.Join(cluster.Assets(), "kubectl"), arguments...).CombinedOutput()
	answer := strings.TrimSpace(string(output))
	// It ends with 1 when it says no.
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && answer == "no" {
		return false
	}
	Expect(err).NotTo(HaveOccurred(), answer)
	Expect(answer).To(Equal("yes"))
	return true
}
