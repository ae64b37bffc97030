package engine

import (
	"context"
	"path/filepath"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// facts is what was found at one instant.
type facts struct {
	*loaded

	now time.Time
	// versions are those of the sources.
	versions []v1alpha1.SourceVersion
	// asked is how many refreshes were asked for, and drifted that the token is not where it
	// was put.
	asked   uint64
	drifted bool
}

// gather reads what a decision needs, and gives up a request that is no longer wanted.
func (l *loop) gather(ctx context.Context) *facts {
	l.watch.follow([]string{filepath.Dir(l.options.File)})
	f := &facts{loaded: l.reload(ctx)}
	l.watch.follow(f.objects.watched(f.plan))
	f.versions = f.objects.versions(ctx, f.plan)
	if l.sources == nil {
		// What stands now is what the token was made from, as far as anybody can tell.
		l.sources = f.versions
	}
	l.Engine.mu.Lock()
	f.asked, f.drifted = l.asked, l.drifted
	l.Engine.mu.Unlock()
	if suspended := f.credential.Spec.Suspend; suspended != l.suspended {
		l.suspended = suspended
		if suspended {
			l.options.Log.Info("No token is asked for while spec.suspend is true", "credential", f.credential.Name)
		}
	}
	if l.unwanted(f) {
		l.abandon()
	}
	f.now = l.options.Clock.Now()
	return f
}

// lifetimeFacts is what the decision is made from.
func (l *loop) lifetimeFacts(f *facts) lifetime.Facts {
	clientChanged, sourceChanged := l.changed(f)
	respecified := l.observed != f.revision
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token != nil {
		l.step = lifetime.BucketStep(lifeOf(l.token))
	}
	known := lifetime.Facts{
		Blocked:       f.credential.Spec.Suspend,
		InFlight:      l.request != nil,
		Held:          l.token != nil,
		Token:         lifeOf(l.token),
		Policy:        policy(f),
		Seed:          l.seed(f),
		SpecChanged:   l.token != nil && l.token.InputsHash != f.inputsHash,
		ClientChanged: clientChanged,
		Requested:     f.asked != l.handled,
		Drifted:       f.drifted,
		RepairAt:      l.repairs.AllowedAt(lifetime.RepairStep),
		CauseChanged:  respecified || sourceChanged,
		LastRequest:   l.lastRequest,
		AllowedAt:     l.bucket.AllowedAt(l.step),
	}
	// The operator lets one credential probe a broken provider for all. Here there is no
	// other, and the schedule of its own failures stands.
	if l.failed != nil {
		known.Failed, known.RetryAt = true, l.failed.retryAt
		if l.failed.reason == v1alpha1.ReasonRateLimited {
			// Nobody but a new client or a new spec may cut a Retry-After short.
			known.Requested = false
			known.CauseChanged = respecified || clientChanged
		}
	}
	return known
}

// changed tells whether a source has another version than the last request was made from,
// and whether one of those is the client's. Where no version is known nothing has changed, and
// what cannot be read at the moment may be what it was.
func (l *loop) changed(f *facts) (client, source bool) {
	recorded := map[v1alpha1.SourceVersion]bool{}
	known := map[v1alpha1.SourceVersion]bool{}
	for _, version := range l.sources {
		recorded[version] = true
		version.ResourceVersion = ""
		known[version] = true
	}
	for i, found := range f.plan.Sources() {
		name := v1alpha1.SourceVersion{Kind: found.Kind, Name: found.RecordedName}
		if known[name] && !recorded[f.versions[i]] && f.versions[i].ResourceVersion != unreadable {
			client, source = client || found.Client, true
		}
	}
	return client, source
}

// seed is what the jitter follows from.
func (l *loop) seed(f *facts) string {
	return f.credential.Namespace + "/" + f.credential.Name + "/" + l.options.Seed
}

// policy is when a token is to be replaced.
func policy(f *facts) lifetime.Policy { return issuance.Policy(f.credential, f.plan, time.Time{}) }

// lifeOf is the life of a token, zero where there is none.
func lifeOf(token *secretstore.Token) lifetime.Token {
	if token == nil {
		return lifetime.Token{}
	}
	return lifetime.Token{IssuedAt: token.IssuedAt, ExpiresAt: token.ExpiresAt}
}

// resolverFor makes requests of what a manifest refers to.
func (l *loop) resolverFor(f *facts) resolve.Resolver {
	resolver := l.resolver
	resolver.Reader = f.objects
	return resolver
}
