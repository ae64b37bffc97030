package plugin_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/plugin/status"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const credentials = clientSecret + `---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: files, labels: {team: web}}
spec:
  provider: {tokenURL: BASE/oauth/token}
  client: {id: acme, secretRef: {name: client, key: client_secret}}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: broken}
spec:
  provider: {tokenURL: BASE/oauth/token}
  client: {id: nobody, secretRef: {name: client, key: client_secret}}
`

var _ = Describe("Looking at credentials", func() {
	var n *namespace

	BeforeEach(func(ctx SpecContext) {
		n = newNamespace(ctx, standin.NewOAuth(standin.Options{Clients: map[string]string{"acme": "the-secret-of-acme"}}))
		n.apply(ctx, credentials)
		n.ready(ctx, "files")
	})

	It("shows their status", func(ctx SpecContext) {
		Eventually(ctx, func(ctx context.Context) string {
			r, code := n.plugin(ctx, "status")
			Expect(code).To(Equal(cli.ExitNotReady))
			return r.out.String()
		}).Should(And(
			MatchRegexp(`files +● Good +━+[╋━─┼]+ +\d+m +refresh in \d+m`),
			MatchRegexp(`broken +✗ Stalled +·+ +- +tries again in`),
			ContainSubstring("└ ProviderRejected"),
			Not(ContainSubstring("\x1b")),
		))
		r, code := n.plugin(ctx, "status", "files", "-o", "json")
		Expect(code).To(Equal(cli.ExitOK))
		var reports []status.Report
		Expect(json.Unmarshal([]byte(r.out.String()), &reports)).To(Succeed())
		Expect(reports).To(HaveLen(1))
		Expect(reports[0].State).To(Equal(status.Good))

		r, code = n.plugin(ctx, "status", "nothing")
		Expect(code).To(Equal(cli.ExitFailed))
		Expect(r.errOut.String()).To(ContainSubstring(`there is no OAuthCredential "nothing"`))
		_, code = n.plugin(ctx, "status", "-l", "team=nobody")
		Expect(code).To(Equal(cli.ExitOK))
		_, code = n.plugin(ctx, "refresh", "-l", "team=nobody")
		Expect(code).To(Equal(cli.ExitFailed))
	}, SpecTimeout(time.Minute))

	It("watches them until it is interrupted", func(ctx SpecContext) {
		ctx2, cancel := context.WithCancel(ctx)
		defer cancel()
		r := start(ctx2, controlPlane.Kubeconfig, n.name, "", "status", "files", "-w")
		Eventually(ctx, r.out.String).Should(ContainSubstring("● Good"))
		_, code := n.plugin(ctx, "refresh", "files")
		Expect(code).To(Equal(cli.ExitOK))
		Eventually(ctx, r.out.String).Should(MatchRegexp(`(?s)NAME.*● Good.*\n.*● Good`))
	}, SpecTimeout(time.Minute))

	It("refreshes them", func(ctx SpecContext) {
		before := n.secret(ctx, "files").Data[v1alpha1.KeyAccessToken]
		r, code := n.plugin(ctx, "refresh", "files")
		Expect(code).To(Equal(cli.ExitOK), "%s", r)
		Expect(r.out.String()).To(MatchRegexp(`/files has a new token, good until .*, in \d+m`))
		Expect(n.secret(ctx, "files").Data[v1alpha1.KeyAccessToken]).NotTo(Equal(before))

		r, code = n.plugin(ctx, "refresh", "--all", "--timeout=20s")
		Expect(code).To(Equal(cli.ExitNotReady), "%s", r)
		Expect(r.out.String()).To(And(ContainSubstring("/files has a new token"), ContainSubstring("/broken has no new token: ProviderRejected")))
	}, SpecTimeout(time.Minute))

	It("inspects a Secret without its token", func(ctx SpecContext) {
		token := string(n.secret(ctx, "files").Data[v1alpha1.KeyAccessToken])
		r, code := n.plugin(ctx, "inspect", "files")
		Expect(code).To(Equal(cli.ExitOK), "%s", r)
		Expect(r.out.String()).To(And(MatchRegexp(`Expires +\S+ \(in \d+m\)`), ContainSubstring("access_token"), Not(ContainSubstring(token))))
		r, code = n.plugin(ctx, "inspect", "files", "--show-token")
		Expect(code).To(Equal(cli.ExitOK))
		Expect(r.out.String()).To(ContainSubstring(token))
		r, code = n.plugin(ctx, "inspect", "broken")
		Expect(code).To(Equal(cli.ExitNotReady), "%s", r)
	}, SpecTimeout(time.Minute))

	It("completes names, for kubectl too", func(ctx SpecContext) {
		for _, command := range [][]string{{"kubectl-tokensync", "__complete"}, {"kubectl_complete-tokensync"}} {
			completing := exec.CommandContext(ctx, filepath.Join(plugins, command[0]), append(command[1:], "status", "-n", n.name, "fi")...)
			completing.Env = []string{"KUBECONFIG=" + controlPlane.Kubeconfig, "HOME=" + GinkgoT().TempDir()}
			output, err := completing.Output()
			Expect(err).NotTo(HaveOccurred())
			Expect(string(output)).To(Equal("files\n:4\n"))
		}
	}, SpecTimeout(time.Minute))
})
