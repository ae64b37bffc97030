package failures_test

import (
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The metrics page", func() {
	It("tells of every credential while it is there, and of what was done", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		server := startProvider(6 * time.Second)
		process := startOperator(ctx, []string{namespace})
		page := func() (string, error) { return process.Metrics(ctx) }
		app, broken := []string{`namespace="` + namespace + `"`, `name="app"`}, []string{`namespace="` + namespace + `"`, `name="broken"`}
		state := func(labels []string, condition string) []string { return append(labels, `condition="`+condition+`"`) }

		apply(ctx, namespace, clientSecret, at(server.url, credential), numbered(server.url+"/broken", "broken"))
		expectReady(ctx, namespace, "app")
		Eventually(func() string { return credentials.last(namespace, "broken").ready().Reason }).
			WithContext(ctx).Should(Equal(v1alpha1.ReasonInvalidResponse))
		Eventually(func(g Gomega) {
			text, err := page()
			g.Expect(err).NotTo(HaveOccurred())
			status := credentials.last(namespace, "app").credential.Status
			g.Expect(text).To(SatisfyAll(
				have("tokensync_credential_expiration_timestamp_seconds", float64(status.ExpiresAt.Unix()), app...),
				have("tokensync_credential_refresh_timestamp_seconds", float64(status.RefreshAt.Unix()), app...),
				have("tokensync_credential_ready_status", 1, state(app, "True")...),
				have("tokensync_credential_ready_status", 0, state(app, "False")...),
				have("tokensync_credential_ready_status", 1, state(broken, "False")...),
				have("tokensync_credential_ready_status", 0, state(broken, "True")...),
				haveSome("tokensync_token_requests_total", `provider="inline"`, `result="success"`),
				have("tokensync_token_requests_total", 1, `provider="inline"`, `result="InvalidResponse"`),
				have("tokensync_refreshes_total", 1, `trigger="change"`),
			))
		}).WithContext(ctx).WithPolling(50 * time.Millisecond).Should(Succeed())

		Eventually(page).WithContext(ctx).WithPolling(50 * time.Millisecond).Should(SatisfyAll(
			haveSome("tokensync_refreshes_total", `trigger="schedule"`),
			haveSome("tokensync_refresh_lateness_seconds_count"),
			haveSome("tokensync_refresh_lateness_seconds_bucket", `le="1"`),
			haveSome("tokensync_token_request_duration_seconds_count", `provider="inline"`),
		))

		for _, name := range []string{"app", "broken"} {
			Expect(api.Delete(ctx, getCredential(ctx, namespace, name))).To(Succeed())
		}
		Eventually(page).WithContext(ctx).WithPolling(50 * time.Millisecond).ShouldNot(ContainSubstring(`namespace="` + namespace + `"`))
		Consistently(page).WithContext(ctx).WithTimeout(time.Second).WithPolling(50 * time.Millisecond).
			ShouldNot(ContainSubstring(`namespace="` + namespace + `"`))
		Expect(page()).NotTo(MatchRegexp(`(?m)^tokensync_.*127\.0\.0\.1`), "no label holds a host")
	})
})

// have holds for a page with exactly one such sample.
func have(metric string, value float64, labels ...string) OmegaMatcher {
	return WithTransform(func(page string) []float64 { return samples(page, metric, labels...) }, Equal([]float64{value}))
}

// haveSome holds for a page with exactly one such sample, and not of zero.
func haveSome(metric string, labels ...string) OmegaMatcher {
	return WithTransform(func(page string) []float64 { return samples(page, metric, labels...) },
		SatisfyAll(HaveLen(1), HaveEach(BeNumerically(">=", 1))))
}
