package failures_test

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"

	. "github.com/onsi/ginkgo/v2"
)

// shelf keeps what was written into every target Secret, and when. It is safe for
// concurrent use.
type shelf struct {
	mu      sync.Mutex
	written map[types.NamespacedName][]writing
}

// writing is one token that a Secret was given.
type writing struct {
	at    time.Time
	token string
}

// watchSecrets fills a shelf until whoever began it ends.
func watchSecrets(ctx SpecContext, api client.WithWatch) *shelf {
	GinkgoHelper()
	s := &shelf{written: map[types.NamespacedName][]writing{}}
	follow(ctx, api, &corev1.SecretList{}, func(object client.Object, now time.Time) {
		if secret, ok := object.(*corev1.Secret); ok {
			s.put(secret, now)
		}
	}, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync})
	return s
}

func (s *shelf) put(secret *corev1.Secret, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, token := client.ObjectKeyFromObject(secret), string(secret.Data[v1alpha1.KeyAccessToken])
	before := s.written[key]
	if len(before) == 0 || before[len(before)-1].token != token {
		s.written[key] = append(before, writing{now, token})
	}
}

// of are the tokens that a Secret was given, oldest first.
func (s *shelf) of(namespace, name string) []writing {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]writing(nil), s.written[types.NamespacedName{Namespace: namespace, Name: name}]...)
}
