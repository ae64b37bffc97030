package integration_test

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	. "github.com/onsi/gomega/gstruct"
)

var _ = Describe("a new credential", func() {
	It("has its token at once", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		applied := time.Now()
		t.declare(ctx, "acme")
		Eventually(ctx, t.tokenIn("acme")).WithTimeout(atOnce).WithPolling(5 * time.Millisecond).ShouldNot(BeEmpty())
		AddReportEntry("first token after", time.Since(applied).Round(time.Millisecond))
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
	})

	It("makes a Secret that describes itself", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.declare(ctx, "acme", "secret: {name: acme-token, labels: {team: news}, annotations: {example.com/page: duty}}")
		token := t.ready(ctx, "acme")
		credential, secret := t.credential(ctx, "acme"), t.shapeOf("acme-token")(ctx)
		_, expiry, _ := t.provider.Check(token)
		expiresAt := credential.Status.ExpiresAt.UTC()

		By("not promising more than the provider does, and hardly less")
		Expect(expiresAt).To(And(BeTemporally("<=", expiry), BeTemporally(">", expiry.Add(-2*time.Second))))
		Expect(secret.Type).To(Equal(corev1.SecretTypeOpaque))
		Expect(secret.Data).To(Equal(map[string]string{
			"access_token": token,
			"token_type":   "Bearer",
			"expires_at":   expiresAt.Format(time.RFC3339),
			"scope":        "read",
		}))
		Expect(secret.Labels).To(Equal(map[string]string{
			"app.kubernetes.io/managed-by": "tokensync",
			"tokensync.dev/credential":     "acme",
			"team":                         "news",
		}))
		Expect(secret.Annotations).To(MatchAllKeys(Keys{
			"tokensync.dev/issued-at":   Equal(credential.Status.IssuedAt.UTC().Format(time.RFC3339)),
			"tokensync.dev/expires-at":  Equal(expiresAt.Format(time.RFC3339)),
			"tokensync.dev/inputs-hash": Not(BeEmpty()),
			"tokensync.dev/data-hash":   Not(BeEmpty()),
			"example.com/page":          Equal("duty"),
		}))
		// No garbage collector runs beside this API server. In a cluster it deletes
		// the Secret with its credential, by this very reference.
		Expect(secret.Owners).To(Equal([]metav1.OwnerReference{{
			APIVersion: "tokensync.dev/v1alpha1",
			Kind:       "OAuthCredential",
			Name:       "acme",
			UID:        credential.UID,
			Controller: new(true),
		}}))
	})

	It("tells in its status what it has", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		before := time.Now().Truncate(time.Second)
		t.declare(ctx, "acme", "secret: {name: acme-token}")
		t.ready(ctx, "acme")
		status := t.credential(ctx, "acme").Status
		Expect(status.SecretName).To(Equal("acme-token"))
		Expect(status.SecretResourceVersion).To(Equal(t.version("acme-token")(ctx)))
		Expect(status.IssuedAt.Time).To(And(BeTemporally(">=", before), BeTemporally("<=", time.Now())))
		Expect(status.ExpiresAt.Sub(status.IssuedAt.Time)).To(Equal(time.Minute))
		Expect(status.RefreshAt.Sub(status.IssuedAt.Time)).To(And(BeNumerically(">=", 37*time.Second), BeNumerically("<=", 41*time.Second)))
		Expect(status.LastFailure).To(BeNil())
		Expect(status.LastRefreshRequest).To(BeEmpty())
		Expect(status.Sources).To(Equal([]v1alpha1.SourceVersion{
			{Kind: v1alpha1.KindSecret, Name: "acme-client", ResourceVersion: t.version("acme-client")(ctx)},
		}))
		Expect(t.message(ctx, "acme")).To(ContainSubstring(`The Secret "acme-token" holds a good token`))
	})

	It("is shown and waited for by kubectl", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		kubectl(ctx, t.client("acme")+"---\n"+t.manifest("acme", "secret: {name: acme-token}"), "apply", "-n", t.namespace, "-f", "-")
		kubectl(ctx, "", "wait", "-n", t.namespace, "--for=condition=Ready", "--timeout=10s", "oauthcredential/acme")
		status := t.credential(ctx, "acme").Status

		columns := func(arguments ...string) ([]string, []string) {
			lines := strings.Split(strings.TrimSpace(kubectl(ctx, "", append([]string{"get", "-n", t.namespace}, arguments...)...)), "\n")
			Expect(lines).To(HaveLen(2))
			return strings.Fields(lines[0]), strings.Fields(lines[1])
		}
		head, row := columns("oauthcred")
		Expect(head).To(Equal([]string{"NAME", "READY", "REASON", "EXPIRES", "REFRESH", "SECRET", "AGE"}))
		Expect(row[:6]).To(Equal([]string{
			"acme", "True", "TokenIssued",
			status.ExpiresAt.UTC().Format(time.RFC3339), status.RefreshAt.UTC().Format(time.RFC3339), "acme-token",
		}))
		head, row = columns("tokensync", "-o", "wide")
		Expect(head).To(ContainElements("PROVIDER", "GRANT"))
		Expect(row).To(ContainElements(t.url, "client_credentials"))
	})

	It("says that it is being worked on while a slow provider thinks", func(ctx SpecContext) {
		t := newTenant(ctx, oauth(time.Minute))
		t.slow(1800 * time.Millisecond)
		t.declare(ctx, "acme")
		Eventually(ctx, t.state("acme")).WithTimeout(atOnce).Should(Equal("Ready=False Reconciling=True Stalled=False RequestingToken"))
		Expect(t.secret(ctx, "acme")).To(BeNil())
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
	})
})
