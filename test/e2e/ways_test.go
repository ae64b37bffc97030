package e2e_test

import (
	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// All have called since the suite began, so that the first one is waited for alone.
var _ = Describe("A pod that gets the token otherwise", judging, func() {
	DescribeTable("calls a service for three lifetimes of its token, and is never refused",
		func(ctx SpecContext, w way) {
			measure(w.name, sync(), crowd.consumer(w).awaitLifetimes(ctx, lifetimes, crowd.lifetime))
		},
		func(w way) string { return "by the " + w.name },
		Entry(nil, fromFile),
		Entry(nil, fromEndpoint),
		Entry(nil, byProxy),
		Entry(nil, injected),
	)

	It("is not refused by the word of the service either", func(ctx SpecContext) {
		Expect(crowd.refused(ctx)).To(BeZero())
	})
})

var _ = Describe("A Job with the sidecar", func() {
	It("completes, and its sidecar does not hold it up", func(ctx SpecContext) {
		objects := sampled("sidecar-job.yaml")
		job := the[*batchv1.Job](objects)
		equip(&job.Spec.Template.Spec, crowd.provider, "--proxy=http://127.0.0.1:9806", "--calls=20")
		create(ctx, crowd.namespace, objects...)
		Eventually(ctx, func() (batchv1.JobStatus, error) {
			err := api.Get(ctx, client.ObjectKeyFromObject(job), job)
			return job.Status, err
		}).Should(HaveField("Succeeded", BeEquivalentTo(1)))
		Expect(job.Status.Failed).To(BeZero())
	})
})
