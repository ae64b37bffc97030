package sidecar_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/output"
	"github.com/tokensync/tokensync/test/standin"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

const (
	// short is the life of a token that is replaced during a spec, and lifetimes is how
	// many of them a consumer is watched for.
	short     = 5 * time.Second
	lifetimes = 3
)

// site is a namespace with an operator, the provider that it asks, and a service that
// takes the tokens of that.
type site struct {
	namespace string
	provider  *standin.Server
	// url is that of the provider.
	url     string
	service *service
}

// newSite makes one with the credential `api`, whose tokens live for a time.
func newSite(ctx context.Context, lifetime time.Duration) *site {
	GinkgoHelper()
	s := &site{
		namespace: createNamespace(ctx),
		provider:  standin.NewOAuth(standin.Options{Lifetime: lifetime, Clients: map[string]string{"api": "password"}}),
	}
	base, stop, err := s.provider.Listen()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(stop)
	s.url, s.service = base, newService(s.provider)
	Expect(controlPlane.Client.Create(ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "api-client"}, StringData: map[string]string{"password": "password"},
	})).To(Succeed())
	credential := &unstructured.Unstructured{}
	Expect(yaml.UnmarshalStrict(fmt.Appendf(nil, `apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {name: api, namespace: %s}
spec:
  provider: {tokenURL: %s}
  client: {id: api, secretRef: {name: api-client, key: password}}
  secret: {data: {access_token: token.access_token, token_type: token.token_type, copy: token.access_token}}
`, s.namespace, base+standin.TokenPath), &credential.Object)).To(Succeed())
	Expect(controlPlane.Client.Create(ctx, credential)).To(Succeed())
	s.startOperator(ctx)
	return s
}

// startOperator starts an operator for this namespace alone.
func (s *site) startOperator(ctx context.Context) {
	GinkgoHelper()
	if operatorBinary == "" {
		var err error
		operatorBinary, err = operator.Build(ctx, "tokensync-operator-race", "-race")
		Expect(err).NotTo(HaveOccurred())
	}
	log := &output.Log{}
	process, err := operator.Start(ctx, operator.Options{
		Binary: operatorBinary, Kubeconfig: controlPlane.Kubeconfig, Log: log, Environment: []string{haltOnRace},
		Arguments: []string{"--leader-elect=false", "--watch-namespaces=" + s.namespace},
	})
	Expect(err).NotTo(HaveOccurred(), "%s", log)
	DeferCleanup(func() {
		Expect(process.Stop()).To(Succeed())
		AddReportEntry("what the operator said", log.String(), ReportEntryVisibilityFailureOrVerbose)
		Expect(s.provider.Violations()).To(BeEmpty())
	})
}

// arguments are those of a sidecar that watches the Secret of the credential.
func (s *site) arguments() []string {
	return []string{"--secret=api", "--namespace=" + s.namespace, "--kubeconfig=" + controlPlane.Kubeconfig}
}

// revoke takes a token back (RFC 7009).
func (s *site) revoke(ctx context.Context, token string) {
	GinkgoHelper()
	form := url.Values{"token": {token}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+standin.RevocationPath, strings.NewReader(form))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("api", "password")
	Expect(exchange(http.DefaultClient, request)).To(HavePrefix("200"))
	_, _, good := s.provider.Check(token)
	Expect(good).To(BeFalse())
}

// secret is the one that the operator keeps.
func (s *site) secret(ctx context.Context) *corev1.Secret {
	GinkgoHelper()
	secret := &corev1.Secret{}
	Expect(controlPlane.Client.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: "api"}, secret)).To(Succeed())
	return secret
}

// calls are what came of the calls of an app.
type calls struct {
	count   int
	answers map[string]int
	tokens  map[string]bool
}

// call calls the service time and again, each time with what is in the file then.
func (s *site) call(ctx context.Context, a *agent) calls {
	GinkgoHelper()
	c := calls{answers: map[string]int{}, tokens: map[string]bool{}}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return c
		case <-ticker.C:
		}
		token, err := a.file(tokenKey)()
		Expect(err).NotTo(HaveOccurred())
		request, err := http.NewRequest(http.MethodGet, s.service.URL+"/orders", http.NoBody)
		Expect(err).NotTo(HaveOccurred())
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := exchange(http.DefaultClient, request)
		Expect(err).NotTo(HaveOccurred())
		c.count++
		c.answers[answer]++
		c.tokens[token] = true
	}
}

var _ = Describe("With the operator", func() {
	It("an app that reads its file each time never comes with a token that has expired", func(ctx SpecContext) {
		s := newSite(ctx, short)
		a := startAgent(ctx, s.arguments()...)
		Eventually(ctx, a.readiness).WithArguments(ctx).Should(Equal(ready))
		a.follow()
		calling, cancel := context.WithTimeout(ctx, lifetimes*short)
		defer cancel()
		c := s.call(calling, a)
		Expect(c.answers).To(Equal(map[string]int{"200 ok": c.count}))
		Expect(c.count).To(BeNumerically(">", 100))
		Expect(len(c.tokens)).To(BeNumerically(">", lifetimes))
		AddReportEntry("calls", fmt.Sprintf("%d, with %d tokens", c.count, len(c.tokens)))
	}, SpecTimeout(time.Minute))
})
