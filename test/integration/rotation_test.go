package integration_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The states of a credential that waits for a person.
const (
	toAuthorize = "Ready=False Reconciling=False Stalled=True AuthorizationRequired"
	lost        = "Ready=True Reconciling=False Stalled=True TokenIssued"
)

// rotating is a provider whose refresh tokens rotate.
func rotating(lifetime time.Duration, rotation standin.Rotation) *standin.Server {
	return standin.NewOAuth(standin.Options{Lifetime: lifetime, AnyClient: password, Rotation: &rotation})
}

// refresher is the manifest of a credential that begins with a refresh token, and of the
// Secret that holds it.
func (t *tenant) refresher(name, refreshToken string, lines ...string) string {
	return t.client(name) + "---\n" + bootstrap(name, refreshToken) + "---\n" + t.manifest(name, append(lines, "grantType: refresh_token",
		"refreshToken: {bootstrapRef: {name: "+name+"-bootstrap, key: refresh_token}}")...)
}

// begun applies the credential acme with a new refresh token to begin with, and answers that
// and the first access token.
func (t *tenant) begun(ctx context.Context, lines ...string) (refreshToken, token string) {
	GinkgoHelper()
	refreshToken = t.provider.MintRefreshToken("acme", "read")
	t.apply(ctx, t.refresher("acme", refreshToken, lines...))
	return refreshToken, t.ready(ctx, "acme")
}

// bootstrap is the manifest of a Secret with a refresh token to begin with.
func bootstrap(name, refreshToken string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s-bootstrap}\nstringData: {refresh_token: %q}\n", name, refreshToken)
}

// grantOf answers the grant that is kept for a credential, nil where none is.
func (t *tenant) grantOf(ctx context.Context, name string) *grant.Record {
	GinkgoHelper()
	secret := t.secret(ctx, name+"-grant")
	if secret == nil {
		return nil
	}
	record, err := grant.Decode(secret.Data)
	Expect(err).NotTo(HaveOccurred())
	return record
}

// rotated answers how often the refresh token of a credential's family was used.
func (t *tenant) rotated(first string) func() int64 {
	return func() int64 { return t.provider.FamilyOf(first).Refreshes }
}

// refreshNow asks for a refresh by the annotation.
func (t *tenant) refreshNow(ctx context.Context, name string) {
	GinkgoHelper()
	t.edit(ctx, "OAuthCredential", name, fmt.Sprintf("metadata: {annotations: {tokensync.dev/refresh-requested-at: %q}}", time.Now().Format(time.RFC3339Nano)))
}

var _ = Describe("the grant refresh_token", func() {
	It("spends each refresh token once, and keeps its successor apart from the target", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(4*time.Second, standin.Rotation{}))
		first, token := t.begun(ctx)
		for range 3 {
			token = t.replaced(ctx, "acme", token, patience)
		}
		family := t.provider.FamilyOf(first)
		Expect(family.Revoked).To(BeFalse())
		Expect(family.Retries).To(BeZero())
		Expect(family.Generation).To(BeNumerically(">=", 4))

		secret, target := t.secret(ctx, "acme-grant"), t.secret(ctx, "acme")
		Expect(secret.Labels).To(HaveKeyWithValue("tokensync.dev/role", "grant"))
		Expect(secret.OwnerReferences).To(BeEmpty())
		for key, value := range target.Data {
			Expect(string(value)).NotTo(ContainSubstring(t.provider.FamilyOf(first).LastToken), "key %s", key)
		}
		Expect(target.Data).NotTo(HaveKey("refresh_token"))
	})

	It("keeps a refresh token that does not rotate", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(3*time.Second, standin.Rotation{KeepStatic: true}))
		first, token := t.begun(ctx)
		for range 2 {
			token = t.replaced(ctx, "acme", token, patience)
		}
		Expect(t.grantOf(ctx, "acme").Chain.RefreshToken.Reveal()).To(Equal(first))
	})

	It("publishes what it has kept where the target is lost", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		_, token := t.begun(ctx)
		t.remove(ctx, "Secret", "acme")
		Eventually(ctx, t.tokenIn("acme")).Should(Equal(token))
		t.asked(ctx, "acme", 1)
	})

	It("tries again at once with the same refresh token where the answer was lost", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first, token := t.begun(ctx)
		t.provider.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Fault: standin.Reset})
		t.refreshNow(ctx, "acme")
		t.replaced(ctx, "acme", token, 10*time.Second)
		family := t.provider.FamilyOf(first)
		Expect(family.Revoked).To(BeFalse())
		Expect(family.Retries).To(BeEquivalentTo(1))
	})

	It("tells a person once where the refresh token was refused, and never sends it again", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{Grace: standin.GraceNone}))
		t.begun(ctx)
		t.provider.Misbehave(standin.Behavior{Next: 1, AfterRotation: true, Fault: standin.Reset})
		t.refreshNow(ctx, "acme")
		Eventually(ctx, t.state("acme")).Should(Equal(lost))
		Expect(t.message(ctx, "acme")).To(And(ContainSubstring("RefreshTokenLost"), ContainSubstring(`Secret "acme-bootstrap"`),
			Not(ContainSubstring("login"))), "nobody can log in there")
		requests := t.requests("acme")()
		t.edit(ctx, "OAuthCredential", "acme", "metadata: {labels: {look: again}}")
		Consistently(ctx, t.requests("acme")).Should(Equal(requests))
		Expect(t.events("acme")(ctx)).To(ContainElement("RefreshTokenLost"))

		By("taking a new refresh token from the same place")
		second := t.provider.MintRefreshToken("acme", "read")
		t.apply(ctx, bootstrap("acme", second))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		Expect(t.provider.FamilyOf(second).Refreshes).To(BeEquivalentTo(1))
	})

	It("never sends a value that was used before", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first, _ := t.begun(ctx)
		second := t.provider.MintRefreshToken("acme", "read")
		t.apply(ctx, bootstrap("acme", second))
		Eventually(t.rotated(second)).Should(BeEquivalentTo(1))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
		t.apply(ctx, bootstrap("acme", first))
		Consistently(t.rotated(first)).Should(BeEquivalentTo(1))
		t.refreshNow(ctx, "acme")
		Eventually(t.rotated(second)).Should(BeEquivalentTo(2))
		Expect(t.rotated(first)()).To(BeEquivalentTo(1))
	})

	It("goes on with the refresh token in use where a new one is refused", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first, _ := t.begun(ctx)
		t.apply(ctx, bootstrap("acme", "a-typo"))
		t.says(ctx, "acme", "the one in use stays")
		t.refreshNow(ctx, "acme")
		Eventually(t.rotated(first)).Should(BeEquivalentTo(2))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
	})

	It("does not begin anew by itself where the grant is gone", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.begun(ctx)
		t.remove(ctx, "Secret", "acme-grant")
		t.says(ctx, "acme", "RefreshTokenLost", `"acme-grant" is gone`)
		t.refreshNow(ctx, "acme")
		t.asked(ctx, "acme", 1)
	})

	It("does not use the grant of another credential of that name until it is told to", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first, _ := t.begun(ctx)
		secret := t.secret(ctx, "acme-grant")
		t.remove(ctx, "OAuthCredential", "acme")
		Eventually(ctx, func() *corev1.Secret { return t.secret(ctx, "acme-grant") }).Should(BeNil(), "the grant goes with its credential")

		secret.ObjectMeta = metav1.ObjectMeta{Namespace: secret.Namespace, Name: secret.Name, Labels: secret.Labels}
		Expect(controlPlane.Client.Create(ctx, secret)).To(Succeed())
		t.apply(ctx, t.refresher("acme", first))
		Eventually(ctx, t.state("acme")).Should(ContainSubstring("Stalled=True"))
		Expect(t.message(ctx, "acme")).To(And(
			ContainSubstring("AuthorizationRequired"), ContainSubstring("kubectl annotate secret acme-grant")))
		t.asked(ctx, "acme", 1)

		uid := string(t.credential(ctx, "acme").UID)
		t.edit(ctx, "Secret", "acme-grant", "metadata: {annotations: {"+v1alpha1.AnnotationGrantFor+": "+uid+"}}")
		t.refreshNow(ctx, "acme")
		Eventually(t.rotated(first)).Should(BeEquivalentTo(2))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
	})

	It("tells of two credentials with the same refresh token", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first, _ := t.begun(ctx)
		t.apply(ctx, t.refresher("twin", first))
		Eventually(ctx, t.state("twin")).Should(Equal("Ready=False Reconciling=False Stalled=True RefreshTokenConflict"))
		Expect(t.message(ctx, "twin")).To(ContainSubstring(`OAuthCredential "acme"`))
		t.asked(ctx, "twin", 0)
	})

	It("warns two weeks before the refresh token ends", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.endpoint = "lifetime: {refreshToken: {maximum: 240h}}, "
		t.apply(ctx, t.refresher("acme", t.provider.MintRefreshToken("acme", "read")))
		Eventually(ctx, t.state("acme")).Should(Equal("Ready=True Reconciling=False Stalled=False RefreshTokenExpiring=True TokenIssued"))
		Expect(t.credential(ctx, "acme").Status.RefreshTokenExpiresAt.Time).To(BeTemporally("~", time.Now().Add(10*24*time.Hour), time.Minute))
	})

	It("warns of no end that moves on with each use", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{RefreshTokenExpiresIn: 10 * 24 * time.Hour}))
		t.apply(ctx, t.refresher("acme", t.provider.MintRefreshToken("acme", "read")))
		Eventually(ctx, t.state("acme")).Should(Equal("Ready=True Reconciling=False Stalled=False RefreshTokenExpiring=False TokenIssued"))
	})

	It("takes a login up that came while the refresh token was on its way", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.begun(ctx)
		t.onItsWay(ctx, "acme")
		login := grant.Login{
			ID: "later", Credential: string(t.credential(ctx, "acme").UID), At: time.Now(),
			RefreshToken: redact.New(t.provider.MintRefreshToken("acme", "read")),
		}
		encoded, err := login.Encode()
		Expect(err).NotTo(HaveOccurred())
		t.edit(ctx, "Secret", "acme-grant", "data: {login: "+base64.StdEncoding.EncodeToString(encoded)+"}")
		Eventually(ctx, func() string { return t.grantOf(ctx, "acme").Chain.ID }).Should(Equal("later"))
		Eventually(ctx, t.state("acme")).Should(Equal(good))
	})

	It("keeps what came although somebody took the labels off the Secret", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{Grace: standin.GraceNone}))
		first, old := t.begun(ctx)
		t.onItsWay(ctx, "acme")
		t.edit(ctx, "Secret", "acme-grant", "metadata: {labels: null}")
		t.replaced(ctx, "acme", old, patience)
		Expect(t.secret(ctx, "acme-grant").Labels).To(HaveKeyWithValue("tokensync.dev/role", "grant"))
		t.refreshNow(ctx, "acme")
		Eventually(t.rotated(first)).Should(BeEquivalentTo(3))
	})

	It("asks a provider that fails by the schedule, although it goes before all others", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.begun(ctx)
		t.provider.Misbehave(standin.Behavior{Fault: standin.Respond, Status: http.StatusInternalServerError})
		t.refreshNow(ctx, "acme")
		t.declare(ctx, "one")
		t.declare(ctx, "another")
		const (
			closing  = 5 // failures in a row, of whomever, that close the line
			backsOff = 4 // requests, the good one and three that failed: the next is seconds away
		)
		Eventually(ctx, t.outcomes(standin.Respond.Outcome())).Should(BeNumerically(">=", closing))
		Eventually(ctx, t.requests("acme")).Should(BeNumerically(">=", backsOff))
		closed := t.requests("acme")()
		Consistently(ctx, t.requests("acme")).WithTimeout(6 * time.Second).Should(BeNumerically("<=", closed+1))
		t.provider.Behave()
	})

	It("looks at a grant that waits for a person only when something has changed", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		t.provide(ctx, "idp")
		t.apply(ctx, t.client("acme")+"---\n"+bootstrap("acme", t.provider.MintRefreshToken("acme", "read"))+"---\n"+
			byProvider("acme", "idp", keyOf("acme"), "grantType: refresh_token", "refreshToken: {bootstrapRef: {name: acme-bootstrap, key: refresh_token}}"))
		t.ready(ctx, "acme")
		t.remove(ctx, "Secret", "acme-grant")
		Eventually(ctx, t.state("acme")).Should(ContainSubstring("Stalled=True"))
		t.edit(ctx, "OAuthProvider", "idp", "spec: {timeout: 31s}")
		before := reconciles(ctx)
		const few = 4 // looks that the edit itself is worth
		Consistently(ctx, reconciles).WithTimeout(6 * time.Second).Should(BeNumerically("<=", before+few))
	})
})

// onItsWay returns when a refresh token has been sent, whose answer takes its time.
func (t *tenant) onItsWay(ctx context.Context, name string) {
	GinkgoHelper()
	t.provider.Misbehave(standin.Behavior{Next: 1, Delay: 3 * time.Second})
	t.refreshNow(ctx, name)
	t.attempted(ctx, name)
}

// attempted waits until the operator is about to send what a grant holds.
func (t *tenant) attempted(ctx context.Context, name string) {
	GinkgoHelper()
	Eventually(ctx, func() *grant.Attempt { return t.grantOf(ctx, name).Attempt }).ShouldNot(BeNil())
}

// reconciles counts how often the operator has looked at a credential.
func reconciles(ctx context.Context) float64 {
	GinkgoHelper()
	served, err := process.Metrics(ctx)
	Expect(err).NotTo(HaveOccurred())
	total := 0.0
	for line := range strings.Lines(served) {
		if rest, ok := strings.CutPrefix(line, `controller_runtime_reconcile_total{controller="oauthcredential",`); ok {
			_, value, _ := strings.Cut(rest, "} ")
			count, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			Expect(err).NotTo(HaveOccurred())
			total += count
		}
	}
	return total
}
