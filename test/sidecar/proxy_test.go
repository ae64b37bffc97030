package sidecar_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The proxy, with the operator", func() {
	var (
		s      *site
		a      *agent
		socket string
		app    *http.Client
	)
	BeforeEach(func(ctx SpecContext) {
		s = newSite(ctx, time.Hour)
		socket = filepath.Join(GinkgoT().TempDir(), "proxy")
		a = startAgent(ctx, append(s.arguments(), "--proxy-listen=unix:"+socket, "--proxy-upstream="+s.service.URL, "--proxy-insecure-upstream")...)
		app = unixClient(socket)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
	})
	get := func(ctx context.Context) (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/orders", http.NoBody)
		if err != nil {
			return "", err
		}
		return exchange(app, request)
	}

	It("has a token replaced that was revoked, before the app hears of it", func(ctx SpecContext) {
		Expect(get(ctx)).To(Equal("200 ok"))
		old, err := a.file(tokenKey)()
		Expect(err).NotTo(HaveOccurred())
		Expect(s.secret(ctx).Annotations).NotTo(HaveKey(v1alpha1.AnnotationRefreshRequestedAt))
		Expect(s.provider.CountsOf("api").Requests).To(BeEquivalentTo(1))
		s.revoke(ctx, old)
		asked := s.provider.CountsOf("api").Requests

		By("many requests at the same time")
		var all sync.WaitGroup
		answers := make([]string, 20)
		for i := range answers {
			all.Go(func() {
				defer GinkgoRecover()
				var err error
				answers[i], err = get(ctx)
				Expect(err).NotTo(HaveOccurred())
			})
		}
		all.Wait()
		Expect(answers).To(HaveEach("200 ok"))
		Expect(s.secret(ctx).Annotations).To(HaveKey(v1alpha1.AnnotationRefreshRequestedAt))
		Expect(s.provider.CountsOf("api").Requests).To(Equal(asked+1), "one token for all of them")
		Expect(a.metric(`refresh_requests_total{result="success"}`)(ctx)).To(Equal("1"))
		Expect(a.metric("proxy_repeats_total")(ctx)).To(Equal(fmt.Sprint(s.service.denied.Load())))
		Eventually(ctx, a.file(tokenKey)).ShouldNot(Equal(old))

		By("a service that refuses the new one, too")
		fresh, err := a.file(tokenKey)()
		Expect(err).NotTo(HaveOccurred())
		s.revoke(ctx, fresh)
		asked = s.provider.CountsOf("api").Requests
		for range 5 {
			Expect(get(ctx)).To(Equal("401 denied"))
		}
		Consistently(ctx, func() int64 { return s.provider.CountsOf("api").Requests }).Should(Equal(asked), "it does not ask again so soon")
		Expect(a.metric(`refresh_requests_total{result="success"}`)(ctx)).To(Equal("1"))
	})

	It("lets a large body pass as it is, in both directions at once", func(ctx SpecContext) {
		const size = 64 << 20
		sum := sha256.New()
		body := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), sum)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/upload", io.NopCloser(body))
		Expect(err).NotTo(HaveOccurred())
		answer, err := exchange(app, request)
		Expect(err).NotTo(HaveOccurred())
		Expect(answer).To(Equal(fmt.Sprintf("200 %d bytes, %x", size, sum.Sum(nil))))
	})

	It("lets an upgrade pass, and what comes after it", func(ctx SpecContext) {
		connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(connection.Close)
		Expect(connection.SetDeadline(time.Now().Add(patience))).To(Succeed())
		_, err = io.WriteString(connection, "GET /socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		Expect(err).NotTo(HaveOccurred())
		answers := bufio.NewReader(connection)
		response, err := http.ReadResponse(answers, nil)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(response.Body.Close)
		Expect(response.StatusCode).To(Equal(http.StatusSwitchingProtocols))
		for _, line := range []string{"one\n", "two\n"} {
			_, err = io.WriteString(connection, line)
			Expect(err).NotTo(HaveOccurred())
			Expect(answers.ReadString('\n')).To(Equal(line))
		}
	})
})
