package integration_test

import (
	"strings"
	"time"

	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("a refresh token that was refused", func() {
	It("is sent once more where it was the client that was wrong", func(ctx SpecContext) {
		t := newTenant(ctx, rotating(time.Hour, standin.Rotation{}))
		first := t.provider.MintRefreshToken("acme", "read")
		manifest := t.refresher("acme", first)
		t.apply(ctx, t.client("other")+"---\n"+strings.Replace(manifest, keyOf("acme"), keyOf("other"), 1))
		Eventually(ctx, t.state("acme")).Should(Equal(toAuthorize))
		t.asked(ctx, "other", 1)

		t.apply(ctx, manifest)
		t.ready(ctx, "acme")
		t.asked(ctx, "acme", 1)
		t.asked(ctx, "other", 1)
	})
})
