package e2e_test

import (
	. "github.com/onsi/ginkgo/v2"
)

// lifetimes is for how many of its token's a consumer has to have called.
const lifetimes = 3

// The first example of the README, as it stands there but for the addresses: its client, its
// credential, and its pod, in which the consumer reads what the README's app reads.
var _ = Describe("A pod that mounts the Secret of the README's example", judging, func() {
	It("calls a service for three lifetimes of its token, and is never refused", func(ctx SpecContext) {
		measure(mounted.name, sync(), crowd.consumer(mounted).awaitLifetimes(ctx, lifetimes, crowd.lifetime))
	})
})
