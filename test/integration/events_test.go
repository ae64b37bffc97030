package integration_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("the events of a device grant", func() {
	It("show each code once, and the end of them", func(ctx SpecContext) {
		t := newTenant(ctx, byDevice(time.Hour, 3*time.Second))
		t.declareDevice(ctx, "acme")
		told := t.told("acme", "AuthorizationRequired")
		code := MatchRegexp(shownCode.String())
		Eventually(ctx, told).WithTimeout(30 * time.Second).Should(ConsistOf(code, code, code, ContainSubstring("nobody has entered the codes")))
		t.edit(ctx, "OAuthCredential", "acme", "metadata: {labels: {look: again}}")
		Consistently(ctx, told).WithTimeout(3 * time.Second).Should(HaveLen(4))
	})
})
