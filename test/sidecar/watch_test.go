package sidecar_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/goleak"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/internal/sidecar/watch"
	"github.com/tokensync/tokensync/test/output"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// prompt bounds what is seen in milliseconds, on a busy machine.
const prompt = 3 * time.Second

// pod is a watching source in a pod of its own, as it were.
type pod struct {
	*watch.Source
	current   *sidecar.Current
	log       *output.Log
	connected atomic.Bool
}

// account makes a ServiceAccount, and answers a configuration that reads its token from a
// file.
func account(ctx context.Context, namespace string) (config *rest.Config, name string) {
	GinkgoHelper()
	user := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "app"}}
	Expect(controlPlane.Client.Create(ctx, user)).To(Succeed())
	request := &authenticationv1.TokenRequest{}
	Expect(controlPlane.Client.SubResource("token").Create(ctx, user, request)).To(Succeed())
	file := filepath.Join(GinkgoT().TempDir(), "token")
	Expect(os.WriteFile(file, []byte(request.Status.Token), 0o600)).To(Succeed())
	config = rest.AnonymousClientConfig(controlPlane.Config)
	config.BearerTokenFile = file
	return config, user.Name
}

// startPod starts a source that watches the Secret `api`.
func startPod(config *rest.Config, namespace string) *pod {
	GinkgoHelper()
	closeIdle()
	others := goleak.IgnoreCurrent()
	api, err := kube.New(config, namespace, "test")
	Expect(err).NotTo(HaveOccurred())
	p := &pod{current: sidecar.NewCurrent(), log: &output.Log{}}
	p.Source = &watch.Source{
		Client: api, Name: "api", Refreshes: true, Connected: p.connected.Store,
		Keys:  sidecar.Keys{Token: "access_token", Type: "token_type", Expiry: "expires_at"},
		Clock: clock.RealClock{}, Log: slog.New(slog.NewJSONHandler(p.log, nil)),
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:forbidigo // It ends with the spec.
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, p.current) }()
	DeferCleanup(func() {
		cancel()
		Eventually(ended).WithTimeout(prompt).Should(Receive(BeNil()))
		Expect(p.connected.Load()).To(BeFalse())
		api.Close()
		closeIdle()
		Expect(goleak.Find(others)).To(Succeed())
	})
	return p
}

// closeIdle closes the connections of the administrator, which a spec may have made.
func closeIdle() {
	GinkgoHelper()
	transport, err := rest.TransportFor(controlPlane.Config)
	Expect(err).NotTo(HaveOccurred())
	utilnet.CloseIdleConnectionsFor(transport)
}

// token is the token that the source has found last.
func (p *pod) token() string {
	if set := p.current.Set(); set != nil {
		return set.Token.Reveal()
	}
	return ""
}

// said are the messages of a level and above in a log, in their order.
func said(log *output.Log, least slog.Level) []map[string]any {
	GinkgoHelper()
	var lines []map[string]any
	for line := range strings.Lines(log.String()) {
		var read map[string]any
		var level slog.Level
		Expect(json.Unmarshal([]byte(line), &read)).To(Succeed())
		Expect(level.UnmarshalText([]byte(read["level"].(string)))).To(Succeed())
		if level >= least {
			lines = append(lines, read)
		}
	}
	return lines
}

// target is a Secret as tokensync writes it.
func target(namespace, token string, expiresAt time.Time) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: "api",
			Labels: map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync, v1alpha1.LabelCredential: "api"},
			Annotations: map[string]string{
				v1alpha1.AnnotationIssuedAt:  expiresAt.Add(-time.Hour).Format(time.RFC3339),
				v1alpha1.AnnotationExpiresAt: expiresAt.Format(time.RFC3339),
			},
		},
		Data: map[string][]byte{"access_token": []byte(token), "token_type": []byte("Bearer")},
	}
}

// grant applies a manifest as an administrator does.
func grant(ctx context.Context, manifest string) {
	GinkgoHelper()
	for document := range strings.SplitSeq(manifest, "---\n") {
		object := &unstructured.Unstructured{}
		Expect(yaml.Unmarshal([]byte(document), &object.Object)).To(Succeed())
		Expect(controlPlane.Client.Create(ctx, object)).To(Succeed())
	}
}

var _ = Describe("The source --secret", func() {
	var (
		namespace string
		expiresAt time.Time
	)
	BeforeEach(func(ctx SpecContext) {
		namespace = createNamespace(ctx)
		expiresAt = time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	})

	It("finds the Secret, its changes, and one that is made again", func(ctx SpecContext) {
		secret := target(namespace, "first", expiresAt)
		Expect(controlPlane.Client.Create(ctx, secret)).To(Succeed())
		p := startPod(controlPlane.Config, namespace)
		Eventually(ctx, p.token).WithTimeout(prompt).Should(Equal("first"))
		set := p.current.Set()
		Expect(set.Life.ExpiresAt).To(BeTemporally("==", expiresAt))
		Expect(set.Life.IssuedAt).To(BeTemporally("==", expiresAt.Add(-time.Hour)))
		Expect(set.Type).To(Equal("Bearer"))
		Eventually(ctx, p.connected.Load).Should(BeTrue())

		secret.Data["access_token"] = []byte("second")
		Expect(controlPlane.Client.Update(ctx, secret)).To(Succeed())
		Eventually(ctx, p.token).WithTimeout(prompt).Should(Equal("second"))

		Expect(controlPlane.Client.Delete(ctx, secret)).To(Succeed())
		Eventually(ctx, p.log.String).Should(ContainSubstring("was deleted"))
		Consistently(ctx, p.token).Should(Equal("second"))
		Expect(p.connected.Load()).To(BeTrue())

		Expect(controlPlane.Client.Create(ctx, target(namespace, "third", expiresAt))).To(Succeed())
		Eventually(ctx, p.token).WithTimeout(prompt).Should(Equal("third"))
		Expect(said(p.log, slog.LevelWarn)).To(HaveLen(1))
	})

	It("waits for a Secret that is made later, and sees no other", func(ctx SpecContext) {
		p := startPod(controlPlane.Config, namespace)
		Eventually(ctx, p.log.String).Should(ContainSubstring("no such Secret yet"))
		other := target(namespace, "other", expiresAt)
		other.Name = "api2"
		Expect(controlPlane.Client.Create(ctx, other)).To(Succeed())
		Consistently(ctx, p.token).Should(BeEmpty())
		empty := target(namespace, "", expiresAt)
		empty.Data = nil
		Expect(controlPlane.Client.Create(ctx, empty)).To(Succeed())
		Eventually(ctx, p.log.String).Should(ContainSubstring("holds no keys"))
		Expect(p.current.Set()).To(BeNil())
		empty.Data = target(namespace, "late", expiresAt).Data
		Expect(controlPlane.Client.Update(ctx, empty)).To(Succeed())
		Eventually(ctx, p.token).WithTimeout(prompt).Should(Equal("late"))
	})

	It("says once which rights it needs, and goes on when they are granted as it says", func(ctx SpecContext) {
		Expect(controlPlane.Client.Create(ctx, target(namespace, "granted", expiresAt))).To(Succeed())
		config, name := account(ctx, namespace)
		p := startPod(config, namespace)
		Eventually(ctx, p.log.String).Should(ContainSubstring("may not watch"))
		// As long as several attempts.
		Consistently(ctx, func() []map[string]any { return said(p.log, slog.LevelWarn) }).
			WithTimeout(5 * time.Second).Should(HaveLen(1))
		Expect(p.connected.Load()).To(BeFalse())
		manifest := said(p.log, slog.LevelWarn)[0]["manifest"].(string)
		Expect(manifest).To(And(ContainSubstring(`name: "`+name+`"`), ContainSubstring(`verbs: ["get", "list", "watch", "patch"]`),
			ContainSubstring(`resourceNames: ["api"]`)))

		granted := time.Now()
		grant(ctx, manifest)
		Eventually(ctx, p.token).WithTimeout(5 * time.Second).Should(Equal("granted"))
		AddReportEntry("until the grant was noticed", time.Since(granted).String())
		Eventually(ctx, p.connected.Load).Should(BeTrue())
		Expect(p.Refresh(ctx)).To(Succeed())
		Expect(p.log.String()).To(ContainSubstring("watched again"))
	})

	It("follows a token of its ServiceAccount that is replaced in its file", func(ctx SpecContext) {
		Expect(controlPlane.Client.Create(ctx, target(namespace, "here", expiresAt))).To(Succeed())
		config, _ := account(ctx, namespace)
		good, err := os.ReadFile(config.BearerTokenFile)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(config.BearerTokenFile, []byte("worn out"), 0o600)).To(Succeed())
		p := startPod(config, namespace)
		Eventually(ctx, p.log.String).Should(ContainSubstring("does not know who asks"))
		Expect(os.WriteFile(config.BearerTokenFile, good, 0o600)).To(Succeed())
		Eventually(ctx, p.log.String).Should(ContainSubstring("may not watch"))
		Expect(said(p.log, slog.LevelWarn)).To(HaveLen(2))
	})

	It("keeps the token while the API server is away, and is back soon after it", func(ctx SpecContext) {
		secret := target(namespace, "before", expiresAt)
		Expect(controlPlane.Client.Create(ctx, secret)).To(Succeed())
		config, _ := account(ctx, namespace)
		p := startPod(config, namespace)
		Eventually(ctx, p.log.String).Should(ContainSubstring("may not watch"))
		grant(ctx, said(p.log, slog.LevelWarn)[0]["manifest"].(string))
		Eventually(ctx, p.connected.Load).Should(BeTrue())
		heard := len(said(p.log, slog.LevelWarn))

		start := killServer(ctx)
		Eventually(ctx, p.connected.Load).Should(BeFalse())
		Consistently(ctx, p.token).WithTimeout(8 * time.Second).Should(Equal("before"))
		start()
		secret.Data["access_token"] = []byte("after")
		Eventually(ctx, func() error { return controlPlane.Client.Update(ctx, secret) }).WithTimeout(time.Minute).Should(Succeed())
		back := time.Now()
		Eventually(ctx, p.token).WithTimeout(4 * time.Second).Should(Equal("after"))
		AddReportEntry("until the change was seen", time.Since(back).String())
		Eventually(ctx, p.connected.Load).Should(BeTrue())
		AddReportEntry("said meanwhile", said(p.log, slog.LevelInfo))
		Expect(said(p.log, slog.LevelWarn)).To(HaveLen(heard+1), "one word on the outage: %s", p.log)
	}, SpecTimeout(2*time.Minute))

	It("asks for a refresh by an annotation, of tokensync's own Secrets only", func(ctx SpecContext) {
		p := startPod(controlPlane.Config, namespace)
		Eventually(ctx, p.log.String).Should(ContainSubstring("no such Secret yet"))
		Expect(p.Refresh(ctx)).To(MatchError(ContainSubstring("there is no Secret")))

		secret := target(namespace, "token", expiresAt)
		secret.Labels = nil
		Expect(controlPlane.Client.Create(ctx, secret)).To(Succeed())
		Eventually(ctx, p.token).Should(Equal("token"))
		Expect(errors.Is(p.Refresh(ctx), sidecar.ErrNoRefresh)).To(BeTrue())

		secret.Labels = target(namespace, "", expiresAt).Labels
		Expect(controlPlane.Client.Update(ctx, secret)).To(Succeed())
		before := time.Now()
		Eventually(ctx, p.Refresh).WithArguments(ctx).Should(Succeed())
		Expect(controlPlane.Client.Get(ctx, client.ObjectKeyFromObject(secret), secret)).To(Succeed())
		asked, err := time.Parse(time.RFC3339Nano, secret.Annotations[v1alpha1.AnnotationRefreshRequestedAt])
		Expect(err).NotTo(HaveOccurred())
		Expect(asked).To(BeTemporally("~", before, prompt))
		Expect(secret.Data).To(HaveKeyWithValue("access_token", []byte("token")))
	})

	It("says once that it may not ask for a refresh", func(ctx SpecContext) {
		Expect(controlPlane.Client.Create(ctx, target(namespace, "token", expiresAt))).To(Succeed())
		config, _ := account(ctx, namespace)
		p := startPod(config, namespace)
		Eventually(ctx, p.log.String).Should(ContainSubstring("may not watch"))
		manifest := said(p.log, slog.LevelError)[0]["manifest"].(string)
		grant(ctx, strings.Replace(manifest, `, "patch"`, "", 1))
		Eventually(ctx, p.token).Should(Equal("token"))
		Expect(p.Refresh(ctx)).To(MatchError(ContainSubstring("verb patch")))
		Expect(p.Refresh(ctx)).To(MatchError(ContainSubstring("verb patch")))
		Expect(said(p.log, slog.LevelError)).To(HaveLen(2))
		Expect(said(p.log, slog.LevelError)[1]).To(HaveKeyWithValue("manifest", manifest))
	})
})
