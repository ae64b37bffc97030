package failures_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// organization is a credential for an organization token of Synqly.
const organization = `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthProvider
metadata: {name: synqly}
spec:
  $PROVIDER
---
apiVersion: v1
kind: Secret
metadata: {name: synqly-bootstrap}
stringData: {refresh_token: "$REFRESH"}
---
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: app-0}
spec:
  providerRef: {name: synqly, variables: {token_id: $ID}}
  grantType: refresh_token
  refreshToken:
    bootstrapRef: {name: synqly-bootstrap, key: refresh_token}
  secret: {name: app-0-token}
`

var _ = Describe("An organization token of Synqly", func() {
	It("is refused to nobody through kills of the operator", func(ctx SpecContext) {
		const (
			kills = 8
			delay = 400 * time.Millisecond
		)
		within := chance()
		r := startOrganization(ctx)
		name := r.names[0]
		process := launchMortal(ctx, r.namespace)
		expectReady(ctx, r.namespace, name)
		refusals := r.consume(ctx)

		for i := range kills {
			before := r.count(name)()
			r.Misbehave(standin.Behavior{AfterRotation: true, Delay: delay})
			askForRefresh(ctx, r.namespace, name)
			wait := within(delay)
			if i%2 == 0 {
				Eventually(r.count(name)).WithContext(ctx).Should(Equal(before + 1))
				wait /= 2 // The answer cannot have come yet.
			}
			time.Sleep(wait)
			process.kill()
			// One lost answer costs nothing there, and a second one in a row all.
			r.Behave()
			process = launchMortal(ctx, r.namespace)
			Eventually(r.count(name)).WithContext(ctx).Should(BeNumerically(">", before))
			Eventually(func() string { return r.whyUnserved(ctx, name) }).WithContext(ctx).Should(BeEmpty())
		}
		process.end()
		_, retried := r.refreshed()
		AddReportEntry("kills", fmt.Sprintf("%d of %d lost an answer", retried, kills))
		Expect(retried).To(BeNumerically(">=", kills/2))
		Expect(refusals()).To(BeEmpty())
		Expect(r.Counts().Outcomes).NotTo(HaveKey(standin.Rejected))
		r.expectUnharmed()
	})
})

// startOrganization makes an organization token, and a credential for it that waits for
// an operator.
func startOrganization(ctx SpecContext) *rotating {
	GinkgoHelper()
	server := standin.NewSynqly(standin.Options{})
	address, stop, err := server.Listen()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(stop)
	token := server.MintOrganizationToken(standin.OrganizationOptions{TTL: time.Hour})
	r := &rotating{
		provider: &provider{Server: server, url: address}, namespace: createNamespace(ctx),
		names: names("app", 1), first: map[string]string{"app-0": token.RefreshSecret},
	}
	apply(ctx, r.namespace, strings.NewReplacer("$PROVIDER", standin.OrganizationProvider(address), "$ID", token.ID, "$REFRESH", token.RefreshSecret).Replace(organization))
	return r
}

// consume uses the token in the target all the time, and answers when that was refused.
func (r *rotating) consume(ctx SpecContext) (stop func() []string) {
	using, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done, refused := make(chan struct{}), []string(nil)
	stop = func() []string {
		cancel()
		<-done
		return refused
	}
	DeferCleanup(func() { stop() })
	go func() {
		defer close(done)
		for using.Err() == nil {
			if why := r.refusal(using, r.names[0]); why != "" && using.Err() == nil {
				refused = append(refused, why)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	return stop
}

// refusal is why a consumer is refused, empty where it is not. Where an answer was lost,
// its repetition ends the token before its successor can be published, because Synqly
// keeps no more than two pairs: while that is under way it does not count.
func (r *rotating) refusal(ctx context.Context, name string) string {
	secret, again := &corev1.Secret{}, &corev1.Secret{}
	key := types.NamespacedName{Namespace: r.namespace, Name: name + "-token"}
	if err := api.Get(ctx, key, secret); err != nil {
		return err.Error()
	}
	_, _, good := r.Check(string(secret.Data[v1alpha1.KeyAccessToken]))
	history := r.family(name).History
	if good || history[len(history)-1].Action == standin.Retried {
		return ""
	}
	if err := api.Get(ctx, key, again); err != nil {
		return err.Error()
	}
	if again.ResourceVersion != secret.ResourceVersion {
		return "" // Nobody would use it any more.
	}
	return fmt.Sprintf("%+v", history)
}
