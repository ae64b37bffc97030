package sidecar_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokensync/tokensync/test/operator"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A sidecar without rights", func() {
	It("says which it needs, and works once these are granted, as it runs", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		config, _ := account(ctx, namespace)
		ca := filepath.Join(GinkgoT().TempDir(), "ca.crt")
		Expect(os.WriteFile(ca, config.CAData, 0o600)).To(Succeed())
		kubeconfig := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
		Expect(os.WriteFile(kubeconfig, fmt.Appendf(nil, `apiVersion: v1
kind: Config
current-context: app
clusters: [{name: cluster, cluster: {server: "https://%s", certificate-authority: %q}}]
users: [{name: app, user: {tokenFile: %q}}]
contexts: [{name: app, context: {cluster: cluster, user: app, namespace: %q}}]
`, strings.TrimPrefix(config.Host, "https://"), ca, config.BearerTokenFile, namespace), 0o600)).To(Succeed())
		s := &watched{namespace: namespace}
		here := holding("here", time.Now().Add(time.Hour))
		s.put(ctx, here)

		socket := "unix:" + filepath.Join(GinkgoT().TempDir(), "proxy")
		a := startAgent(ctx, "--secret=api", "--kubeconfig="+kubeconfig, "--proxy-listen="+socket, "--proxy-upstream=https://api.example.com")
		Eventually(ctx, func() []map[string]any { return said(a.log, slog.LevelError) }).Should(HaveLen(1))
		Expect(a.readiness(ctx)).To(HavePrefix("503 no token yet"))
		Expect(a.metric("source_up")(ctx)).To(Equal("0"))
		manifest := said(a.log, slog.LevelError)[0]["manifest"].(string)
		Expect(manifest).To(ContainSubstring(`verbs: ["get", "list", "watch", "patch"]`))
		pid := a.PID()
		grant(ctx, manifest)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Expect(a.files()).To(Equal(here.files()))
		Expect(a.PID()).To(Equal(pid))
		Expect(said(a.log, slog.LevelError)).To(HaveLen(1))
	})
})

var _ = Describe("Settings", func() {
	const secret, output = "--secret=api", "--output-dir=/nowhere"
	kubeconfig := func() string { return "--kubeconfig=" + controlPlane.Kubeconfig }

	DescribeTable("that are wrong end it with 1, and are named",
		func(ctx SpecContext, arguments, environment []string, named ...string) {
			j := startJob(ctx, environment, arguments...)
			e := j.end(ctx)
			Expect(e.code).To(Equal(1), e.said)
			Expect(e.said).To(HavePrefix("tokensync-sidecar: "))
			for _, text := range named {
				Expect(e.said).To(ContainSubstring(text))
			}
		},
		Entry("an unknown flag", []string{secret, "--output-directory=/nowhere"}, nil, "--output-directory"),
		Entry("a flag of a wrong value", []string{secret, output, "--output-mode=0999"}, nil, "--output-mode=0999", "0640"),
		Entry("a variable of a wrong value", []string{secret, output}, []string{"TOKENSYNC_OUTPUT_MODE=rw"}, "TOKENSYNC_OUTPUT_MODE=rw"),
		Entry("an unknown variable", []string{secret, output}, []string{"TOKENSYNC_OUTPUT_DIRECTORY=/nowhere"}, "TOKENSYNC_OUTPUT_DIRECTORY"),
		Entry("no source", []string{output}, nil, "--secret", "--mount", "--credential-file"),
		Entry("two sources", []string{secret, output}, []string{"TOKENSYNC_MOUNT=/mnt"}, "--secret", "TOKENSYNC_MOUNT"),
		Entry("no sink", []string{secret}, nil, "--output-dir", "--token-address"),
		Entry("the address of the token on all interfaces", []string{secret, "--token-address=:8080"}, nil, "--token-address", "127.0.0.1:PORT"),
		Entry("a manifest that is not there", []string{"--credential-file=/nowhere.yaml", output}, nil, "/nowhere.yaml"),
		Entry("no API server", []string{secret, output}, nil, "--kubeconfig"),
	)

	It("refuse to serve tokens to a whole node, unless that is meant", func(ctx SpecContext) {
		node := []string{"TOKENSYNC_POD_IP=192.0.2.7", "TOKENSYNC_HOST_IP=192.0.2.7"}
		arguments := []string{secret, "--namespace=default", kubeconfig()}
		serving := append([]string{"--token-address=" + freePort()}, arguments...)
		e := startJob(ctx, node, append(serving, "--health-address=0")...).end(ctx)
		Expect(e.code).To(Equal(1))
		Expect(e.said).To(And(ContainSubstring("--token-address"), ContainSubstring("hostNetwork"), ContainSubstring("--allow-host-network")))
		proxying := append([]string{"--proxy-listen=" + freePort(), "--proxy-upstream=https://api.example.com", "--health-address=0"}, arguments...)
		e = startJob(ctx, node, proxying...).end(ctx)
		Expect(e.code).To(Equal(1))
		Expect(e.said).To(And(ContainSubstring("--proxy-listen"), ContainSubstring("hostNetwork")))

		for _, allowed := range [][]string{
			append([]string{"--allow-host-network"}, serving...),
			append([]string{"--token-address=unix:" + filepath.Join(GinkgoT().TempDir(), "token")}, arguments...),
		} {
			a := newAgent(ctx, allowed...)
			a.options.Environment = append(a.options.Environment, node...)
			a.start(ctx)
			Expect(a.Stop()).To(Succeed())
		}
	})

	It("let a probe ask, by its exit code", func(ctx SpecContext) {
		s := newVolume(ctx)
		a := startAgent(ctx, s.arguments()...)
		address := "--health-address=" + hostOf(a.HealthURL)
		probe := func(ctx context.Context, arguments ...string) ended {
			return startJob(ctx, []string{"TOKENSYNC_MOUNT=/wrong"}, append(arguments, "--probe")...).end(ctx)
		}
		e := probe(ctx, address)
		Expect(e.code).To(Equal(1))
		Expect(e.said).To(ContainSubstring("no token yet"))
		s.put(ctx, holding("here", neverEnds))
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		Expect(probe(ctx, address)).To(Equal(ended{}))
		Expect(a.Stop()).To(Succeed())
		e = probe(ctx, address)
		Expect(e.code).To(Equal(1))
		Expect(e.said).To(ContainSubstring(hostOf(a.HealthURL)))
	})

	It("are read from the environment as from flags", func(ctx SpecContext) {
		s := newVolume(ctx).(*volume)
		s.put(ctx, holding("here", neverEnds))
		a := newAgent(ctx)
		a.options = operator.Options{Binary: a.options.Binary, Log: a.log, Environment: []string{
			haltOnRace, "TOKENSYNC_MOUNT=" + s.directory, "TOKENSYNC_OUTPUT_DIR=" + a.directory, "TOKENSYNC_OUTPUT_MODE=0640",
		}}
		a.start(ctx)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		info, err := os.Stat(filepath.Join(a.directory, tokenKey))
		Expect(err).NotTo(HaveOccurred())
		Expect(info.Mode().Perm()).To(Equal(os.FileMode(0o640)))
	})
})

// hostOf is the address in a URL.
func hostOf(text string) string {
	GinkgoHelper()
	parsed, err := url.Parse(text)
	Expect(err).NotTo(HaveOccurred())
	return parsed.Host
}
