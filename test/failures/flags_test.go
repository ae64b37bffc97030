package failures_test

import (
	"errors"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The operator's command line", func() {
	run := func(ctx SpecContext, arguments ...string) (output string, exit int) {
		GinkgoHelper()
		text, err := exec.CommandContext(ctx, binary, arguments...).CombinedOutput()
		if failed, ok := errors.AsType[*exec.ExitError](err); ok {
			return string(text), failed.ExitCode()
		}
		Expect(err).NotTo(HaveOccurred())
		return string(text), 0
	}

	DescribeTable("refuses", func(ctx SpecContext, argument string, words ...string) {
		output, exit := run(ctx, "--kubeconfig="+controlPlane.Kubeconfig, argument)
		Expect(exit).To(Equal(1), output)
		for _, word := range words {
			Expect(output).To(ContainSubstring("%s", word))
		}
		Expect(output).NotTo(ContainSubstring("goroutine"))
	},
		Entry("a flag that it does not know", "--alow-insecure-http", "--alow-insecure-http"),
		Entry("an argument that is no flag", "trace", `"trace"`, "--help"),
		Entry("an allowed network that is none", "--egress-allow-cidr=10.0.0.0", "--egress-allow-cidr", "10.0.0.0/8"),
		Entry("a forbidden network that is none", "--egress-deny-cidr=example.com", "--egress-deny-cidr", "example.com"),
		Entry("a log level that it does not have", "--log-level=verbose", "--log-level", "info, debug or trace"),
		Entry("a log format that it does not have", "--log-format=xml", "--log-format", "json or text"),
		Entry("to do without workers", "--max-concurrent-reconciles=0", "--max-concurrent-reconciles", "at least 1"),
		Entry("a number that is none", "--kube-api-qps=many", "kube-api-qps"),
		Entry("a duration that is none", "--leader-election-lease-duration=15", "leader-election-lease-duration"),
		Entry("a kubeconfig that is not there", "--kubeconfig=/does/not/exist", "/does/not/exist"),
	)

	It("prints its version and its flags", func(ctx SpecContext) {
		output, exit := run(ctx, "--version")
		Expect(exit).To(BeZero())
		Expect(output).To(MatchRegexp(`^\S+\n$`))
		output, exit = run(ctx, "--help")
		Expect(exit).To(BeZero())
		Expect(output).To(ContainSubstring("--egress-allow-cidr"))
	})
})
