package plugin_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const byCode = clientSecret + `---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: files}
spec:
  provider:
    tokenURL: BASE/oauth/token
    authorizationURL: BASE/oauth/authorize
    deviceAuthorizationURL: BASE/oauth/device_authorization
  grantType: authorization_code
  client: {id: acme, secretRef: {name: client, key: client_secret}}
  scopes: [read]
`

const held = `apiVersion: v1
kind: Secret
metadata: {name: NAME, namespace: tokensync-system}
stringData: {client_secret: the-secret-of-acme}
---
apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {name: NAME}
spec:
  tokenURL: BASE/oauth/token
  authorizationURL: BASE/oauth/authorize
  client: {id: acme, secretRef: {name: NAME, key: client_secret}}
  allowed: {scopes: [read], grantTypes: [authorization_code]}
  allowedNamespaces: {}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: files}
spec:
  providerRef: {kind: ClusterOAuthProvider, name: NAME}
  grantType: authorization_code
  scopes: [read]
`

// local lets the plugin ask a provider on this machine, and asks nobody.
var local = []string{"--egress-allow-cidr=127.0.0.0/8", "--allow-insecure-http", "--no-browser", "--yes"}

var _ = Describe("Logging in", func() {
	var n *namespace

	BeforeEach(func(ctx SpecContext) {
		n = newNamespace(ctx, standin.NewOAuth(standin.Options{
			Clients: map[string]string{"acme": "the-secret-of-acme"}, Rotation: &standin.Rotation{},
			RedirectURIs: []string{"http://127.0.0.1/callback"}, SendIssuer: true, DeviceInterval: time.Second,
		}))
	})

	It("leaves tokens for the operator, which goes on from there", func(ctx SpecContext) {
		n.apply(ctx, byCode)
		r := start(ctx, controlPlane.Kubeconfig, n.name, "", append([]string{"login", "files"}, local...)...)
		page := consent(ctx, r, "allow")
		Expect(page).To(ContainSubstring("You are logged in"))
		Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
		Expect(r.out.String()).To(ContainSubstring(`You are logged in: the Secret "files" holds a good token`))
		Expect(r.errOut.String()).To(And(MatchRegexp(`Credential +`+n.name+`/files`), MatchRegexp(`Tokens from +127\.0\.0\.1:`)))
		Expect(n.good(ctx)).To(BeTrue())
		kept := n.secret(ctx, "files-grant")
		Expect(kept.Data).NotTo(HaveKey(grant.KeyLogin))
		for _, secret := range []string{"the-secret-of-acme", string(kept.Data[grant.KeyRefreshToken]), string(n.secret(ctx, "files").Data["access_token"])} {
			Expect(r.String()).NotTo(ContainSubstring(secret))
		}

		refreshed, code := n.plugin(ctx, "refresh", "files")
		Expect(code).To(Equal(cli.ExitOK), "%s", refreshed)
		Expect(n.provider.Violations()).To(BeEmpty())
	}, SpecTimeout(2*time.Minute))

	It("tells when the person declines", func(ctx SpecContext) {
		n.apply(ctx, byCode)
		r := start(ctx, controlPlane.Kubeconfig, n.name, "", append([]string{"login", "files"}, local...)...)
		Expect(consent(ctx, r, "deny")).To(ContainSubstring("The login has not worked"))
		Expect(r.wait(ctx)).To(Equal(cli.ExitNotReady), "%s", r)
		Expect(r.errOut.String()).To(ContainSubstring("declined"))
		Expect(n.secret(ctx, "files-grant")).To(BeNil())
	}, SpecTimeout(time.Minute))

	It("sends no secret without a yes", func(ctx SpecContext) {
		n.apply(ctx, byCode)
		r, code := n.plugin(ctx, append([]string{"login", "files"}, local[:3]...)...)
		Expect(code).To(Equal(cli.ExitUsage), "%s", r)
		Expect(r.errOut.String()).To(ContainSubstring("Send the client's secret to 127.0.0.1:"))
		Expect(n.provider.Requests()).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	DescribeTable("leaves the code", func(ctx SpecContext, manifest, says string) {
		n.apply(ctx, strings.ReplaceAll(manifest, "NAME", n.name))
		kubeconfig, err := controlPlane.AddUser("someone-" + n.name)
		Expect(err).NotTo(HaveOccurred())
		n.allow(ctx, "someone-"+n.name)
		r := start(ctx, kubeconfig, n.name, "", append([]string{"login", "files"}, local[:3]...)...)
		Expect(consent(ctx, r, "allow")).To(ContainSubstring("The operator now fetches the tokens"))
		Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
		Expect(r.errOut.String()).To(MatchRegexp(strings.ReplaceAll(says, "NAME", n.name)))
		Expect(n.good(ctx)).To(BeTrue())
		Expect(n.provider.Violations()).To(BeEmpty())
	},
		Entry("where the client's secret is not for the person", byCode, `Exchange +by the operator`, SpecTimeout(2*time.Minute)),
		Entry("where the provider holds the client", held, `Provider +ClusterOAuthProvider "NAME"`, SpecTimeout(2*time.Minute)),
	)

	It("replaces a grant that is lost", func(ctx SpecContext) {
		n.apply(ctx, byCode)
		for range 2 {
			r := start(ctx, controlPlane.Kubeconfig, n.name, "", append([]string{"login", "files"}, local...)...)
			Expect(consent(ctx, r, "allow")).To(ContainSubstring("You are logged in"))
			Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
			Expect(n.good(ctx)).To(BeTrue())
			for _, family := range n.provider.Families() {
				n.provider.RevokeFamily(family.ID)
			}
			refreshed, code := n.plugin(ctx, "refresh", "files")
			Expect(code).To(Equal(cli.ExitNotReady), "%s", refreshed)
			Expect(strings.Count(refreshed.out.String(), "kubectl tokensync login files -n "+n.name)).To(Equal(1), "%s", refreshed)
		}
	}, SpecTimeout(2*time.Minute))

	It("waits for the right answer, whatever comes before it", func(ctx SpecContext) {
		n.apply(ctx, byCode)
		r := start(ctx, controlPlane.Kubeconfig, n.name, "", append([]string{"login", "files"}, local...)...)
		asked, err := url.Parse(find(ctx, r, `\n  (http://\S+)\n`))
		Expect(err).NotTo(HaveOccurred())
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, asked.Query().Get("redirect_uri")+"?code=stolen&state=guessed", http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		response, err := http.DefaultClient.Do(request)
		Expect(err).NotTo(HaveOccurred())
		Expect(response.Body.Close()).To(Succeed())
		Expect(response.StatusCode).To(Equal(http.StatusBadRequest))
		Expect(consent(ctx, r, "allow")).To(ContainSubstring("You are logged in"))
		Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
		Expect(n.good(ctx)).To(BeTrue())
	}, SpecTimeout(time.Minute))

	It("takes a code that is entered elsewhere", func(ctx SpecContext) {
		n.apply(ctx, byCode)
		r := start(ctx, controlPlane.Kubeconfig, n.name, "", append([]string{"login", "files", "--device"}, local...)...)
		code := find(ctx, r, `\n  ([B-Z]{4}-[B-Z]{4})\n`)
		Expect(n.provider.ApproveDevice(code)).To(BeTrue())
		Expect(r.wait(ctx)).To(Equal(cli.ExitOK), "%s", r)
		Expect(n.good(ctx)).To(BeTrue())
		Expect(n.provider.Violations()).To(BeEmpty())
	}, SpecTimeout(2*time.Minute))
})

// find waits until a call prints something for the person, and answers a part of it.
func find(ctx context.Context, r *run, pattern string) string {
	GinkgoHelper()
	expression := regexp.MustCompile(pattern)
	Eventually(ctx, r.errOut.String).Should(MatchRegexp(pattern), "%s", r)
	return expression.FindStringSubmatch(r.errOut.String())[1]
}

// consent does what a person does in a browser, and answers the last page.
func consent(ctx context.Context, r *run, decision string) string {
	GinkgoHelper()
	page := find(ctx, r, `\n  (http://\S+)\n`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, page, strings.NewReader(url.Values{"decision": {decision}}.Encode()))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	Expect(err).NotTo(HaveOccurred())
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	return string(body)
}

// allow lets a user log in for the credential and see what comes of it, and no more.
func (n *namespace) allow(ctx context.Context, user string) {
	GinkgoHelper()
	named := metav1.ObjectMeta{Namespace: n.name, Name: "login"}
	Expect(controlPlane.Client.Create(ctx, &rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"tokensync.dev"}, Resources: []string{"oauthcredentials"}, Verbs: []string{"get"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get", "patch"}, ResourceNames: []string{"files-grant"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"create"}},
	}})).To(Succeed())
	Expect(controlPlane.Client.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "login"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})).To(Succeed())
	Expect(controlPlane.Client.Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: n.name}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"tokensync.dev"}, Resources: []string{"clusteroauthproviders"}, Verbs: []string{"get"}},
	}})).To(Succeed())
	Expect(controlPlane.Client.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: n.name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: n.name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})).To(Succeed())
}
