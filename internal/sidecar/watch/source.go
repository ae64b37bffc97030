package watch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
)

const (
	// firstRetry and lastRetry bound the pauses between attempts; each is up to twice as
	// long, at random, so that not all pods of a cluster come back in the same instant.
	firstRetry = 100 * time.Millisecond
	lastRetry  = 1250 * time.Millisecond
	// listTimeout bounds a list of one Secret. A watch is bounded by the API server.
	listTimeout = 15 * time.Second
)

// Source watches one Secret. It implements sidecar.Source and sidecar.Refresher.
type Source struct {
	// Client speaks to the API server; its namespace is that of the Secret.
	Client *kube.Client
	// Name is that of the Secret.
	Name  string
	Keys  sidecar.Keys
	Clock clock.Clock
	Log   *slog.Logger
	// Refreshes says that Refresh may be called, which takes one more right.
	Refreshes bool
	// Manifest is what to apply where rights are missing, empty for those of the source alone.
	Manifest string
	// Connected, where there is one, is told whether the Secret is being watched, whenever
	// that changes. It must not block.
	Connected func(bool)
	// Accepts, where there is one, is shown the Secret whenever that was looked at, nil where
	// there is none, and tells whether its keys are to be offered. It must not block, nor keep
	// what it is shown.
	Accepts func(secret *corev1.Secret) bool

	mu sync.Mutex
	// connected is what Connected was told last.
	connected bool
	// trouble is what was logged last about the API server, and denied what was logged of
	// Refresh.
	trouble trouble
	denied  bool
	// watched says that the Secret was watched before, and refusedSince since when that has
	// been refused, zero where it is not.
	watched      bool
	refusedSince time.Time
	// presence is what was logged last about the Secret.
	presence presence
	// managed says that tokensync keeps the Secret, as far as it was seen.
	managed bool
}

// Run implements sidecar.Source. It answers no error: whatever is wrong may be mended from
// outside.
func (s *Source) Run(ctx context.Context, into *sidecar.Current) error {
	// What the library has to say is said by the source, once.
	quiet := logr.Discard()
	reflector := cache.NewReflectorWithOptions(s.listerWatcher(), &corev1.Secret{}, &shelf{source: s, into: into},
		cache.ReflectorOptions{
			Name:    s.Name,
			Logger:  &quiet,
			Clock:   s.Clock,
			Backoff: &wait.Backoff{Duration: firstRetry, Cap: lastRetry, Factor: 2, Jitter: 1, Steps: 10},
		})
	reflector.RunWithContext(klog.NewContext(ctx, quiet))
	s.connect(false)
	return nil
}

// listerWatcher lists and watches the one Secret, and looks at what comes of each attempt.
func (s *Source) listerWatcher() cache.ListerWatcher {
	selector := fields.OneTermEqualSelector(metav1.ObjectNameField, s.Name).String()
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = selector
			secrets := &corev1.SecretList{}
			err := s.Client.Core.Get().Namespace(s.Client.Namespace).Resource("secrets").
				VersionedParams(&options, metav1.ParameterCodec).Timeout(listTimeout).Do(ctx).Into(secrets)
			s.attempted(ctx, "list", err)
			return secrets, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (apiwatch.Interface, error) {
			options.FieldSelector, options.Watch = selector, true
			events, err := s.Client.Core.Get().Namespace(s.Client.Namespace).Resource("secrets").
				VersionedParams(&options, metav1.ParameterCodec).Watch(ctx)
			s.attempted(ctx, "watch", err)
			return events, err
		},
	}, listsFirst{})
}

// listsFirst keeps the reflector from streaming what it can list: of one Secret a list is
// as cheap, and a stream that fails is followed by a list anyhow.
type listsFirst struct{}

// IsWatchListSemanticsUnSupported implements what the reflector asks for.
func (listsFirst) IsWatchListSemanticsUnSupported() bool { return true }

// connect tells whether the Secret is being watched, where that is news.
func (s *Source) connect(up bool) {
	s.mu.Lock()
	news := s.connected != up
	s.connected = up
	s.mu.Unlock()
	if news && s.Connected != nil {
		s.Connected(up)
	}
}
