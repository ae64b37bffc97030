package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/engine"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/internal/sidecar/lease"
	"github.com/tokensync/tokensync/internal/sidecar/watch"
)

// Options are what a Share needs. All are required.
type Options struct {
	// Client speaks to the API server; its namespace is that of the Secret and the Lease.
	Client *kube.Client
	// Secret is the name of the Secret.
	Secret string
	// Identity tells this process from all others, those before it in the same pod
	// included.
	Identity string
	Keys     sidecar.Keys
	Clock    clock.Clock
	Log      *slog.Logger
	// Delivered is told that the Secret holds a set, or why it does not hold the newest, and
	// Lost that it holds none. Connected is told whether the Secret is being watched. They
	// must not block.
	Delivered func(set *sidecar.Set, err error)
	Lost      func(err error)
	Connected func(bool)
}

// Share is a Secret that is written by one replica, and read by all. It implements
// sidecar.Source and sidecar.Refresher.
type Share struct {
	Options

	// Engine asks the provider. It is set before Run, and calls Publish.
	Engine *engine.Engine

	store   secretstore.Store
	watched *watch.Source

	mu sync.Mutex
	// leads says that this replica asks the provider.
	leads bool
	// unpublished is the token that this replica could not put into the Secret yet, nil where
	// there is none.
	unpublished *secretstore.Token
	// ahead says that this replica delivers what the Secret does not hold yet, and replaces is
	// what that held then.
	ahead    bool
	replaces *sidecar.Set
	// inSecret is what the Secret was seen to hold last, nil for nothing of ours.
	inSecret *sidecar.Set
	// request is the last refresh that was asked for by the Secret.
	request string
	// advised says that the rights were logged.
	advised bool
}

// New makes a Share, which lacks its Engine.
func New(options Options) *Share {
	s := &Share{Options: options, store: secretstore.Store{API: options.Client.Core}}
	s.watched = &watch.Source{
		Client: options.Client, Name: options.Secret, Keys: options.Keys, Clock: options.Clock, Log: options.Log,
		Refreshes: true, Connected: options.Connected, Manifest: s.manifest(),
	}
	return s
}

// Run implements sidecar.Source.
func (s *Share) Run(ctx context.Context, into *sidecar.Current) error {
	group, ctx := errgroup.WithContext(ctx)
	found := sidecar.NewCurrent()
	s.watched.Accepts = func(secret *corev1.Secret) bool { return s.accepts(ctx, secret) }
	group.Go(func() error { return s.watched.Run(ctx, found) })
	group.Go(func() error {
		s.follow(ctx, found, into)
		return nil
	})
	group.Go(func() error {
		return lease.Run(ctx, lease.Elector{
			Client: s.Client, Name: leaseName(s.Secret), Identity: s.Identity, Times: lease.DefaultTimes(), Clock: s.Clock, Log: s.Log,
			Manifest: s.manifest(),
		}, func(ctx context.Context) { s.lead(ctx, into) })
	})
	return group.Wait()
}

// leaseName is the name of the Lease for a Secret. Many an app has a Lease of its own that
// is called like its Secret.
func leaseName(secret string) string { return "tokensync-" + secret }

// accepts looks at the Secret that is watched, nil where there is none, and tells whether
// it holds a token that a replica has put there. Else whoever leads puts it there again.
func (s *Share) accepts(ctx context.Context, secret *corev1.Secret) bool {
	if secret != nil && !s.mine(&secret.ObjectMeta) {
		return false // It is told where it cannot be written.
	}
	token, drifted := s.inspect(secret)
	s.mu.Lock()
	repairs := s.leads && (token == nil || drifted)
	s.inSecret = s.setOf(token)
	s.mu.Unlock()
	if repairs {
		s.Engine.Repair()
	}
	if token == nil {
		s.Lost(fmt.Errorf("the Secret %q does not hold the token as it was written: whoever refreshes it writes it again", s.Secret))
		return false
	}
	s.Delivered(s.setOf(token), nil)
	s.noteRequest(ctx, secret.Annotations[v1alpha1.AnnotationRefreshRequestedAt])
	return true
}

// setOf is the set of a token, nil for none.
func (s *Share) setOf(token *secretstore.Token) *sidecar.Set {
	if token == nil {
		return nil
	}
	set, _ := s.Keys.Set(token.Data, lifetime.Token{IssuedAt: token.IssuedAt, ExpiresAt: token.ExpiresAt})
	return set
}

// inspect answers the token that a replica has put into a Secret, nil where there is none,
// and whether something about the Secret is not as it was written.
func (s *Share) inspect(secret *corev1.Secret) (token *secretstore.Token, drifted bool) {
	if secret == nil || !s.mine(&secret.ObjectMeta) {
		return nil, false
	}
	found, drifted, ok := secretstore.Inspect(secret, s.credential(), lifetime.Token{}, false)
	if !ok {
		return nil, false
	}
	return &found, drifted
}

// follow delivers what the Secret holds, unless this replica has a newer token, which is
// still on its way there.
func (s *Share) follow(ctx context.Context, found, into *sidecar.Current) {
	for set := range found.All(ctx) {
		s.mu.Lock()
		if !s.ahead || !set.Is(s.replaces) {
			s.ahead = false // It is there now, or another replica's is.
			into.Offer(set)
		}
		s.mu.Unlock()
	}
}

// Refresh implements sidecar.Refresher. Who leads is asked at once, and otherwise by the
// Secret.
func (s *Share) Refresh(ctx context.Context) error {
	if s.leading() {
		return s.Engine.Refresh(ctx)
	}
	err := s.watched.Refresh(ctx)
	if err != nil && !errors.Is(err, sidecar.ErrNoRefresh) {
		return fmt.Errorf("ask the replica that refreshes the token: %w", err)
	}
	return err
}

// noteRequest serves the refresh that the Secret asks for, empty for none, where this is
// the replica that does. Whoever begins to lead looks for itself.
func (s *Share) noteRequest(ctx context.Context, request string) {
	s.mu.Lock()
	news := s.leads && request != "" && request != s.request
	s.request = request
	s.mu.Unlock()
	if !news {
		return
	}
	if err := s.Engine.Refresh(ctx); err != nil {
		s.Log.Warn("a refresh that the Secret asks for is not possible now", "error", err)
	}
}

func (s *Share) leading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leads
}

func (s *Share) key() types.NamespacedName {
	return types.NamespacedName{Namespace: s.Client.Namespace, Name: s.Secret}
}
