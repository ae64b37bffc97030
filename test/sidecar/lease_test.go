package sidecar_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/internal/sidecar/lease"
	"github.com/tokensync/tokensync/test/output"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// shift is who works, one after another.
type shift struct {
	mu      sync.Mutex
	working map[string]bool
	overlap bool
}

func (s *shift) work(name string) func(context.Context) {
	return func(ctx context.Context) {
		s.mu.Lock()
		s.overlap = s.overlap || len(s.working) > 0
		s.working[name] = true
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		delete(s.working, name)
		s.mu.Unlock()
	}
}

// worker is the name of who works now, empty for nobody.
func (s *shift) worker() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.working {
		return name
	}
	return ""
}

// elect starts an elector, and answers how to end it.
func (s *shift) elect(config *rest.Config, namespace, name string, log *output.Log) (end func()) {
	GinkgoHelper()
	api, err := kube.New(config, namespace, "test")
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // It ends with the spec.
	ended := make(chan error, 1)
	go func() {
		ended <- lease.Run(ctx, lease.Elector{
			Client: api, Name: "api", Identity: name, Clock: clock.RealClock{}, Log: slog.New(slog.NewJSONHandler(log, nil)),
			Times: lease.Times{Duration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 300 * time.Millisecond},
		}, s.work(name))
	}()
	end = sync.OnceFunc(func() {
		GinkgoHelper()
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
		api.Close()
	})
	DeferCleanup(end)
	return end
}

var _ = Describe("The Lease of replicas", func() {
	It("lets one of two work, and the other at once when that has ended", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		s := &shift{working: map[string]bool{}}
		log := &output.Log{}
		endFirst := s.elect(controlPlane.Config, namespace, "first", log)
		Eventually(ctx, s.worker).Should(Equal("first"))
		s.elect(controlPlane.Config, namespace, "second", log)
		// Longer than the Lease lasts without renewals.
		Consistently(ctx, s.worker).WithTimeout(4 * time.Second).Should(Equal("first"))
		held := &coordinationv1.Lease{}
		key := client.ObjectKey{Namespace: namespace, Name: "api"}
		Expect(controlPlane.Client.Get(ctx, key, held)).To(Succeed())
		Expect(*held.Spec.HolderIdentity).To(Equal("first"))
		Expect(*held.Spec.LeaseDurationSeconds).To(BeEquivalentTo(3))
		Expect(*held.Spec.LeaseTransitions).To(BeZero())

		endFirst()
		// Sooner than a Lease that was not given back.
		Eventually(ctx, s.worker).WithTimeout(time.Second).Should(Equal("second"))
		Expect(controlPlane.Client.Get(ctx, key, held)).To(Succeed())
		Expect(*held.Spec.LeaseTransitions).To(BeEquivalentTo(1))
		Expect(s.overlap).To(BeFalse())
		Expect(strings.Count(log.String(), "holds the Lease")).To(Equal(2))
	})

	It("says once which rights it needs, and works when they are granted as it says", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		config, _ := account(ctx, namespace)
		s := &shift{working: map[string]bool{}}
		log := &output.Log{}
		s.elect(config, namespace, "first", log)
		Eventually(ctx, log.String).Should(ContainSubstring("may not use the Lease"))
		Consistently(ctx, func() int { return strings.Count(log.String(), "manifest") }).Should(Equal(2), "the message and the key")
		grant(ctx, said(log, slog.LevelError)[0]["manifest"].(string))
		Eventually(ctx, s.worker).Should(Equal("first"))
	})

	It("is given up by a holder whose API server is gone, and taken up again after that", func(ctx SpecContext) {
		namespace := createNamespace(ctx)
		s := &shift{working: map[string]bool{}}
		log := &output.Log{}
		s.elect(controlPlane.Config, namespace, "first", log)
		Eventually(ctx, s.worker).Should(Equal("first"))
		start := killServer(ctx)
		Eventually(ctx, s.worker).WithTimeout(4 * time.Second).Should(BeEmpty())
		start()
		Eventually(ctx, s.worker).WithTimeout(time.Minute).Should(Equal("first"))
		Expect(said(log, slog.LevelWarn)).To(HaveLen(2), "one word on the API server, and one on the Lease: %s", log)
	}, SpecTimeout(2*time.Minute))
})
