package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/internal/sidecar/lease"
	"github.com/tokensync/tokensync/internal/sidecar/watch"
)

// Engine asks the provider.
type Engine interface {
	sidecar.Source
	sidecar.Refresher
	// Credential is the credential of the manifest. It must not be changed.
	Credential() *v1alpha1.OAuthCredential
	// Hold tells of a token that is in use already, before Run is called.
	Hold(token secretstore.Token)
}

// Options are what a Share needs. All are required.
type Options struct {
	// Client speaks to the API server; its namespace is that of the Secret and the Lease.
	Client *kube.Client
	// Secret is the name of the Secret, and of the Lease.
	Secret string
	// Identity tells this process from all others, those before it in the same pod
	// included.
	Identity string
	Keys     sidecar.Keys
	Clock    clock.Clock
	Log      *slog.Logger
	// Delivered is told that the Secret holds a set, or why it does not, and Connected
	// whether the Secret is being watched. They must not block.
	Delivered func(set *sidecar.Set, err error)
	Connected func(bool)
}

// Share is a Secret that is written by one replica, and read by all. It implements
// sidecar.Source and sidecar.Refresher.
type Share struct {
	Options

	// Engine asks the provider. It is set before Run, and calls Publish.
	Engine Engine

	store   secretstore.Store
	watched *watch.Source

	mu sync.Mutex
	// leads says that this replica asks the provider.
	leads bool
	// request is the last refresh that was asked for by the Secret, once it was looked at.
	request string
	looked  bool
	// advised says that the rights were logged.
	advised bool
}

// New makes a Share, which lacks its Engine.
func New(options Options) *Share {
	s := &Share{Options: options, store: secretstore.Store{API: options.Client.Core}}
	s.watched = &watch.Source{
		Client: options.Client, Name: options.Secret, Keys: options.Keys, Clock: options.Clock, Log: options.Log,
		Refreshes: true, Connected: options.Connected,
	}
	return s
}

// Run implements sidecar.Source.
func (s *Share) Run(ctx context.Context, into *sidecar.Current) error {
	group, ctx := errgroup.WithContext(ctx)
	found := sidecar.NewCurrent()
	s.watched.Accepts = func(secret *metav1.ObjectMeta) bool { return s.accepts(ctx, secret) }
	group.Go(func() error { return s.watched.Run(ctx, found) })
	group.Go(func() error { return s.follow(ctx, found, into) })
	group.Go(func() error {
		return lease.Run(ctx, lease.Elector{
			Client: s.Client, Name: s.Secret, Identity: s.Identity, Times: lease.DefaultTimes(), Clock: s.Clock, Log: s.Log,
		}, func(ctx context.Context) { s.lead(ctx, into) })
	})
	return group.Wait()
}

// follow delivers what the Secret holds, unless this replica has a newer token by itself,
// which is still on its way there.
func (s *Share) follow(ctx context.Context, found, into *sidecar.Current) error {
	var last *sidecar.Set
	for {
		set, err := found.Next(ctx, last)
		if err != nil {
			return nil //nolint:nilerr // The context has ended.
		}
		s.Delivered(set, nil)
		if known := into.Set(); known == nil || !set.Life.IssuedAt.Before(known.Life.IssuedAt) {
			into.Offer(set)
		}
		last = set
	}
}

// lead asks the provider until the context ends.
func (s *Share) lead(ctx context.Context, into *sidecar.Current) {
	if !s.hold(ctx) {
		return
	}
	s.setLeads(true)
	defer s.setLeads(false)
	if err := s.Engine.Run(ctx, into); err != nil {
		s.Log.Error("asking the provider has ended", "error", err)
	}
}

// hold tells the engine of the token that the Secret holds, as soon as that can be read. It
// answers false when the context ends before.
func (s *Share) hold(ctx context.Context) bool {
	for {
		secret, err := s.store.Read(ctx, s.key())
		if err == nil && secret == nil {
			return true
		}
		if err == nil {
			if token, _, ok := secretstore.Inspect(secret, s.credential(), lifetime.Token{}, false); ok && s.mine(&secret.ObjectMeta) {
				s.Engine.Hold(token)
			}
			return true
		}
		if !s.pause(ctx) { // Who watches the Secret tells what is wrong.
			return false
		}
	}
}

// Refresh implements sidecar.Refresher. Who leads is asked at once, and otherwise by the
// Secret.
func (s *Share) Refresh(ctx context.Context) error {
	s.mu.Lock()
	leads := s.leads
	s.mu.Unlock()
	if leads {
		return s.Engine.Refresh(ctx)
	}
	err := s.watched.Refresh(ctx)
	if err != nil && !errors.Is(err, sidecar.ErrNoRefresh) {
		return fmt.Errorf("ask the replica that refreshes the token: %w", err)
	}
	return err
}

// accepts looks at the Secret that is watched. What somebody else keeps in one of that name
// is not delivered.
func (s *Share) accepts(ctx context.Context, secret *metav1.ObjectMeta) bool {
	if !s.mine(secret) {
		return false
	}
	s.noteRequest(ctx, secret.Annotations[v1alpha1.AnnotationRefreshRequestedAt])
	return true
}

// noteRequest serves the refresh that the Secret asks for, empty for none, where this is
// the replica that does. What was asked for before it came was for others.
func (s *Share) noteRequest(ctx context.Context, request string) {
	s.mu.Lock()
	news := s.leads && s.looked && request != "" && request != s.request
	s.request, s.looked = request, true
	s.mu.Unlock()
	if !news {
		return
	}
	if err := s.Engine.Refresh(ctx); err != nil {
		s.Log.Warn("a refresh that the Secret asks for is not possible now", "error", err)
	}
}

func (s *Share) setLeads(leads bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads = leads
}

func (s *Share) key() types.NamespacedName {
	return types.NamespacedName{Namespace: s.Client.Namespace, Name: s.Secret}
}
