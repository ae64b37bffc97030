package e2e_test

import (
	"context"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// stage is a namespace with the first example of the README: the client's Secret, and the
// credential, whose provider is a stand-in that runs there, too.
type stage struct {
	namespace string
	provider  *provider
	// lifetime is that of the tokens, and credential the name of the OAuthCredential.
	lifetime   time.Duration
	credential string
	consumers  []*consumer
}

// setStage makes a stage, and waits until there is a token.
func setStage(ctx context.Context, name string, lifetime time.Duration) *stage {
	GinkgoHelper()
	example := documented("README.md", "Example")
	credential, secret := the[*v1alpha1.OAuthCredential](example), the[*corev1.Secret](example)
	namespace := createNamespace(ctx, name)
	create(ctx, namespace, secret)
	s := &stage{
		namespace: namespace,
		provider: startProvider(ctx, namespace, *credential.Spec.Client.SecretRef, "--client-id="+credential.Spec.Client.ID,
			"--tenant="+credential.Spec.Scopes[0], "--lifetime="+lifetime.String()),
		lifetime:   lifetime,
		credential: credential.Name,
	}
	endpoint := s.provider.endpoint("/oauth/token")
	credential.Spec.Provider.TokenURL, credential.Spec.Provider.TLS = endpoint.TokenURL, endpoint.TLS
	create(ctx, namespace, credential)
	awaitReady(ctx, namespace, credential.Name)
	return s
}

// start starts a consumer for each way, and waits until a call of each was accepted.
func (s *stage) start(ctx context.Context, ways ...way) {
	GinkgoHelper()
	for _, w := range ways {
		s.consumers = append(s.consumers, startConsumer(ctx, s, w))
	}
	for _, c := range s.consumers {
		awaitPod(ctx, s.namespace, c.pod)
	}
}

// consumer is the one that was started for a way.
func (s *stage) consumer(w way) *consumer {
	GinkgoHelper()
	for _, c := range s.consumers {
		if c.way == w.name {
			return c
		}
	}
	Fail("no consumer by " + w.name)
	return nil
}

// leave ends the consumers.
func (s *stage) leave(ctx context.Context) {
	GinkgoHelper()
	for _, c := range s.consumers {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: c.pod}}
		Expect(client.IgnoreNotFound(api.Delete(ctx, pod))).To(Succeed())
	}
	s.consumers = nil
}

// refresh asks for a new token, as docs/refresh-timing.md says.
func (s *stage) refresh(ctx context.Context) {
	GinkgoHelper()
	credential := &v1alpha1.OAuthCredential{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: s.credential}}
	before := credential.DeepCopy()
	credential.Annotations = map[string]string{v1alpha1.AnnotationRefreshRequestedAt: time.Now().Format(time.RFC3339Nano)}
	Expect(api.Patch(ctx, credential, client.MergeFrom(before))).To(Succeed())
}

// refused is how many calls to the service were, by the service's own word.
func (s *stage) refused(ctx context.Context) int64 {
	GinkgoHelper()
	return s.provider.counts(ctx).ResourceRequests[strconv.Itoa(http.StatusUnauthorized)]
}
