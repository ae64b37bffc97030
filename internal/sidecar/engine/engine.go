package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/discovery"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/volume"
)

// Options are what an Engine needs. Client, Gate, Clock and Log are required.
type Options struct {
	// File is the manifest, and Credential names the one to take of it, empty where there
	// is only one.
	File, Credential string
	// Namespace is that of a credential which names none; empty is `default`.
	Namespace string
	// SecretsDir and ConfigMapsDir hold DIR/<name>/<key> for what the manifest refers to
	// and does not hold itself. Empty means that there are none.
	SecretsDir, ConfigMapsDir string
	// ServiceAccountToken is the file of a projected token, empty for none.
	ServiceAccountToken string
	// Seed tells this process from its replicas, such as by the name of the pod, so that
	// they do not all ask in the same instant.
	Seed string
	// Keys are those of the token in what is rendered.
	Keys sidecar.Keys

	// Client asks token endpoints and issuers, and keeps to the egress policy.
	Client Client
	// Gate decides when a request may start.
	Gate  *gate.Gate
	Clock clock.WithTicker
	Log   *slog.Logger
	// Metrics counts token requests, unless it is nil.
	Metrics Metrics
	// Publish hands a token to somebody beside Current, such as a Secret; nil for nobody.
	// Where it fails it is called again, and neither Current nor the next token waits
	// for it. It is called by one goroutine at a time.
	Publish func(ctx context.Context, token secretstore.Token) (*issuance.Failure, error)
}

// Client asks token endpoints, and issuers for their metadata.
type Client interface {
	issuance.TokenClient
	discovery.Discoverer
}

// Metrics counts what the engine does.
type Metrics interface {
	// TokenRequest counts one token request and how long the provider took. result is
	// `success` or a reason, and code the OAuth error code, if there was one.
	TokenRequest(result, code string, latency time.Duration)
}

// Engine keeps one token fresh. It implements sidecar.Source and sidecar.Refresher. Run
// may be called again once it has returned, and goes on with the token that was had last.
type Engine struct {
	options     Options
	expressions resolve.Evaluator
	// wake has the loop look again; it holds one.
	wake chan struct{}

	mu sync.Mutex
	// loaded is the last good manifest, and held the token in use.
	loaded *loaded
	held   *secretstore.Token
	// sources are the versions that held was asked for with, nil where that is not known, and
	// unpublished and refused are what Hold has said of it.
	sources              []v1alpha1.SourceVersion
	unpublished, refused bool
	// drifted says that the token is not where it was put.
	drifted bool
	// asked counts the refreshes that were asked for.
	asked uint64
}

var (
	_ sidecar.Source    = (*Engine)(nil)
	_ sidecar.Refresher = (*Engine)(nil)
)

// New reads the manifest. An error says what is wrong with it, and that no token can be
// had by it whoever is asked.
func New(ctx context.Context, options Options) (*Engine, error) {
	e := &Engine{options: options, expressions: expression.NewCompiler(), wake: make(chan struct{}, 1)}
	content, err := volume.File(options.File, maxManifest)
	if err != nil {
		return nil, err
	}
	e.loaded, err = e.load(ctx, content)
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Credential is the credential of the manifest as it was read last. It must not be changed.
func (e *Engine) Credential() *v1alpha1.OAuthCredential {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.loaded.credential
}

// Held is a token that is in use already.
type Held struct {
	Token secretstore.Token
	// Unpublished says that it has yet to be handed to Publish.
	Unpublished bool
	// Refused says that a fresh token was asked for in its place.
	Refused bool
}

// Hold tells of a token that is in use already, before Run is called, so that no other is
// asked for while that one is good. Without, Run goes on with the token that it had last.
func (e *Engine) Hold(held Held) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held == nil || !e.held.IssuedAt.Equal(held.Token.IssuedAt) || e.held.InputsHash != held.Token.InputsHash {
		e.sources = nil // Nobody here knows what it was made from.
	}
	e.held, e.unpublished, e.refused = &held.Token, held.Unpublished, held.Refused
}

// Repair has the token in use handed to Publish once more, because it is not where it was
// put. It draws on a bucket of its own, so that it may take its time.
func (e *Engine) Repair() {
	e.mu.Lock()
	e.drifted = true
	e.mu.Unlock()
	e.nudge()
}

// errSuspended is what is in the way of a refresh.
var errSuspended = errors.New("no token is asked for while spec.suspend is true")

// Refresh implements sidecar.Refresher. It draws on the same small bucket as a refresh that
// is asked of the operator, so that it may take its time. A request that is under way
// serves it too: what that brings is not the token that was refused.
func (e *Engine) Refresh(ctx context.Context) error {
	e.mu.Lock()
	suspended := e.loaded.credential.Spec.Suspend
	if !suspended {
		e.asked++
	}
	e.mu.Unlock()
	if suspended {
		return errSuspended
	}
	e.nudge()
	return ctx.Err()
}

// nudge has the loop look again.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default: // It is about to.
	}
}
