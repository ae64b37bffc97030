package e2e_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The column of `kubectl get oauthcredentials` that the older chart calls otherwise.
const column, olderColumn = "Expires", "Until"

// The release is the one of all specs, and the crowd calls while it is upgraded.
var _ = Describe("An upgrade of the chart", func() {
	It("rolls out a changed value, keeps the others, and is missed by no consumer", func(ctx SpecContext) {
		crowd.outlasts(ctx, func() {
			operator.helm(ctx, "upgrade", chart(), "--wait", "--reset-then-reuse-values", "--set", "logging.level=debug")
			crowd.refresh(ctx)
		})
		Expect(operatorArguments(ctx)).To(ContainElements("--log-level=debug", "--service-account-tokens"))
	})

	It("from one that had fewer values and an older CRD upgrades both, and is missed by no consumer", func(ctx SpecContext) {
		older := olderChart()
		crowd.outlasts(ctx, func() {
			operator.helm(ctx, "upgrade", older, "--wait", "--reset-values",
				"--set", "image.repository="+repository("tokensync-operator"), "--set", "image.tag="+tag,
				"--set", "serviceAccountTokens.enabled=true", "--set", "logging.level=debug")
			Expect(columns(ctx)).To(And(ContainElement(olderColumn), Not(ContainElement(column))))
			Expect(injectionPolicies(ctx)).To(BeEmpty(), "what only the newer chart has")

			operator.helm(ctx, "upgrade", append([]string{chart(), "--wait", "--reset-then-reuse-values"},
				values([]string{"sidecar.injection.enabled=true"})...)...)
			crowd.refresh(ctx)
		})
		Expect(columns(ctx)).To(And(ContainElement(column), Not(ContainElement(olderColumn))))
		Expect(injectionPolicies(ctx)).NotTo(BeEmpty())
		Expect(operatorArguments(ctx)).To(ContainElements("--log-level=debug", "--service-account-tokens"))
	})
})

// olderChart is the folder of a chart that knows of no sidecar, and whose CRD has another
// column.
func olderChart() string {
	GinkgoHelper()
	older := filepath.Join(GinkgoT().TempDir(), "tokensync")
	Expect(os.CopyFS(older, os.DirFS(chart()))).To(Succeed())
	Expect(os.Remove(filepath.Join(older, "templates", "injection.yaml"))).To(Succeed())
	edit(filepath.Join(older, "templates", "NOTES.txt"), func(string) string { return "" })
	edit(filepath.Join(older, "values.yaml"), func(text string) string {
		before, after, _ := strings.Cut(text, "\nsidecar:\n")
		_, after, _ = strings.Cut(after, "\n\n")
		return before + "\n\n" + after
	})
	edit(filepath.Join(older, "templates", "crds", "tokensync.dev_oauthcredentials.yaml"), func(text string) string {
		return strings.ReplaceAll(text, "name: "+column+"\n", "name: "+olderColumn+"\n")
	})
	return older
}

// edit changes the text of a file, which must not stay as it is.
func edit(file string, change func(string) string) {
	GinkgoHelper()
	text, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	changed := change(string(text))
	Expect(changed).NotTo(Equal(string(text)), "%s", file)
	Expect(os.WriteFile(file, []byte(changed), 0o600)).To(Succeed())
}

// columns are what `kubectl get oauthcredentials` shows.
func columns(ctx context.Context) []string {
	GinkgoHelper()
	shown := kubectl(ctx, "get", "crd", "oauthcredentials.tokensync.dev",
		"--output=jsonpath={.spec.versions[*].additionalPrinterColumns[*].name}")
	return strings.Fields(shown)
}

// operatorArguments are those of the operator's Deployment.
func operatorArguments(ctx context.Context) []string {
	GinkgoHelper()
	deployment := &appsv1.Deployment{}
	Expect(api.Get(ctx, client.ObjectKey{Namespace: operator.namespace, Name: "tokensync-operator"}, deployment)).To(Succeed())
	return deployment.Spec.Template.Spec.Containers[0].Args
}

// injectionPolicies are those by which pods get a sidecar.
func injectionPolicies(ctx context.Context) []admissionregistrationv1.MutatingAdmissionPolicy {
	GinkgoHelper()
	policies := &admissionregistrationv1.MutatingAdmissionPolicyList{}
	Expect(api.List(ctx, policies, client.MatchingLabels{"app.kubernetes.io/instance": operator.name})).To(Succeed())
	return policies.Items
}
