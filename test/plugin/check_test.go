package plugin_test

import (
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// manifest is byCode without its Secret.
func (n *namespace) manifest(document string) string {
	_, credential, _ := strings.Cut(document, "---\n")
	return strings.ReplaceAll(credential, "BASE", n.url)
}

var _ = Describe("Checking a manifest", func() {
	var n *namespace

	BeforeEach(func(ctx SpecContext) {
		n = newNamespace(ctx, standin.NewOAuth(standin.Options{
			Clients: map[string]string{"acme": "the-secret-of-acme"}, Rotation: &standin.Rotation{},
			RedirectURIs: []string{"http://127.0.0.1/callback"},
		}))
		n.apply(ctx, clientSecret)
	})

	It("takes what is missing from the cluster, after a yes", func(ctx SpecContext) {
		manifest := n.manifest(strings.Replace(byCode, "  grantType: authorization_code\n", "", 1))
		arguments := []string{"check", "-f", "-", local[0], local[1]}
		r := start(ctx, controlPlane.Kubeconfig, n.name, manifest, arguments...)
		Expect(r.wait(ctx)).To(Equal(cli.ExitNotReady), "%s", r)
		Expect(r.out.String()).To(And(ContainSubstring(`SourceSecretMissing: Secret "client"`), ContainSubstring("--with-cluster")))

		r = start(ctx, controlPlane.Kubeconfig, n.name, manifest, append(arguments, "--with-cluster")...)
		Expect(r.wait(ctx)).To(Equal(cli.ExitUsage), "%s", r)
		Expect(r.String()).To(ContainSubstring("Send what this needs of the cluster's secrets to 127.0.0.1:"))
		Expect(n.provider.Requests()).To(BeEmpty())

		r = start(ctx, controlPlane.Kubeconfig, n.name, manifest, append(arguments, "--with-cluster", "--yes")...)
		Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
		Expect(r.out.String()).To(ContainSubstring("✓ it works"))
		Expect(r.String()).NotTo(ContainSubstring("the-secret-of-acme"))
	}, SpecTimeout(time.Minute))

	It("begins the grants that a person begins", func(ctx SpecContext) {
		r := start(ctx, controlPlane.Kubeconfig, n.name, n.manifest(byCode), append([]string{"check", "-f", "-", "--with-cluster"}, local...)...)
		Expect(consent(ctx, r, "allow")).To(ContainSubstring("Nothing was stored"))
		Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
		Expect(r.out.String()).To(And(
			ContainSubstring("code=[redacted]"), ContainSubstring("code_verifier=[redacted]"),
			ContainSubstring("with a refresh token"), ContainSubstring("✓ it works"),
		))
		Expect(n.secret(ctx, "files-grant")).To(BeNil())
		Expect(n.provider.Violations()).To(BeEmpty())
	}, SpecTimeout(time.Minute))
})
