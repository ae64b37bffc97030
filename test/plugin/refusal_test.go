package plugin_test

import (
	"context"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// damaged is a grant that cannot be read.
	damaged = `apiVersion: v1
kind: Secret
metadata: {name: files-grant, labels: {tokensync.dev/role: grant, tokensync.dev/credential: files}}
stringData: {record: "{"}
---
`
	deviceGrant = "grantType: urn:ietf:params:oauth:grant-type:device_code"
)

// says waits until the Ready condition of the credential files says something.
func (n *namespace) says(ctx context.Context, text string) string {
	GinkgoHelper()
	var message string
	Eventually(ctx, func(ctx context.Context) string {
		credential := &v1alpha1.OAuthCredential{}
		Expect(controlPlane.Client.Get(ctx, types.NamespacedName{Namespace: n.name, Name: "files"}, credential)).To(Succeed())
		if ready := meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			message = ready.Message
		}
		return message
	}).Should(ContainSubstring(text))
	return message
}

var _ = Describe("Nothing comes of it", func() {
	var n *namespace

	BeforeEach(func(ctx SpecContext) {
		n = newNamespace(ctx, standin.NewOAuth(standin.Options{
			Clients: map[string]string{"acme": "the-secret-of-acme"}, RedirectURIs: []string{"http://127.0.0.1/callback"},
			DeviceInterval: time.Second,
		}))
	})

	DescribeTable("and the person hears it before the login", func(ctx SpecContext, manifest, says string) {
		n.apply(ctx, manifest)
		r, code := n.plugin(ctx, append([]string{"login", "files"}, local...)...)
		Expect(code).To(Equal(cli.ExitNotReady), "%s", r)
		Expect(r.errOut.String()).To(ContainSubstring(strings.ReplaceAll(says, "NAME", n.name)))
		Expect(r.errOut.String()).NotTo(ContainSubstring("Open this URL"))
		Expect(n.provider.Requests()).To(BeEmpty())
	},
		Entry("of a credential that is suspended", byCode+"  suspend: true\n", "NAME/files is suspended: set spec.suspend to false first", SpecTimeout(time.Minute)),
		Entry("over a grant that cannot be read", damaged+byCode, "kubectl delete secret files-grant -n NAME", SpecTimeout(time.Minute)),
	)

	It("because the operator is refused, at once", func(ctx SpecContext) {
		n.apply(ctx, strings.Replace(byCode, "the-secret-of-acme", "another-secret", 1))
		n.says(ctx, "nobody has logged in yet")
		kubeconfig, err := controlPlane.AddUser("someone-" + n.name)
		Expect(err).NotTo(HaveOccurred())
		n.allow(ctx, "someone-"+n.name)
		r := start(ctx, kubeconfig, n.name, "", append([]string{"login", "files", "--timeout=50s"}, local[:3]...)...)
		Expect(consent(ctx, r, "allow")).To(ContainSubstring("The operator now fetches the tokens"))
		began := time.Now()
		Expect(r.wait(ctx)).To(Equal(cli.ExitNotReady), "%s", r)
		Expect(time.Since(began)).To(BeNumerically("<", 20*time.Second))
		Expect(r.errOut.String()).To(And(ContainSubstring("the login has not helped: ProviderRejected"), ContainSubstring("invalid_client")))
	}, SpecTimeout(2*time.Minute))

	It("for long, where there is no refresh token", func(ctx SpecContext) {
		n.apply(ctx, byCode)
		r := start(ctx, controlPlane.Kubeconfig, n.name, "", append([]string{"login", "files"}, local...)...)
		Expect(consent(ctx, r, "allow")).To(ContainSubstring("You are logged in"))
		Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
		Expect(r.out.String()).To(ContainSubstring("somebody has to log in again before the token expires, in"))
	}, SpecTimeout(time.Minute))

	It("before the code is entered that a refresh gets", func(ctx SpecContext) {
		n.apply(ctx, strings.Replace(byCode, "grantType: authorization_code", deviceGrant, 1))
		message := n.says(ctx, "enter the code ")
		r, code := n.plugin(ctx, "status", "files")
		Expect(code).To(Equal(cli.ExitNotReady))
		Expect(r.out.String()).To(And(ContainSubstring(message), Not(ContainSubstring("kubectl"))))

		_, shown, _ := strings.Cut(message, "enter the code ")
		Expect(n.provider.DenyDevice(strings.Fields(shown)[0])).To(BeTrue())
		n.says(ctx, "declined")
		r, _ = n.plugin(ctx, "status", "files")
		Expect(r.out.String()).To(And(ContainSubstring("run: kubectl tokensync refresh files -n "+n.name), Not(ContainSubstring("tokensync login"))))

		r, code = n.plugin(ctx, "refresh", "files")
		Expect(code).To(Equal(cli.ExitNotReady), "%s", r)
		Expect(r.out.String()).To(MatchRegexp(`/files waits for you: open http://\S+ and enter the code [B-Z]{4}-[B-Z]{4}`))
	}, SpecTimeout(time.Minute))
})
