package engine

import (
	"slices"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// failure is the last of some failures in a row.
type failure struct {
	reason, message string
	first, last     time.Time
	count           int
	retryAt         time.Time
}

// take takes the outcome of a request that has ended; nil where there is none, or where it
// answers a question that nobody asks any more.
func (l *loop) take(f *facts) *outcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.outcome
	l.outcome = nil
	if o == nil || o.InputsHash != f.inputsHash {
		return nil
	}
	return o
}

// settle draws the conclusions from the outcome of a request.
func (l *loop) settle(f *facts, o *outcome) {
	if o.Failure != nil {
		l.fail(f, o.Failure)
	} else {
		l.succeed(f, o)
	}
	l.sources = merged(o.request.made.versions, o.Versions)
	l.Engine.mu.Lock()
	l.Engine.sources = l.sources
	l.Engine.mu.Unlock()
	l.observed = o.request.made.revision
	l.handled = f.asked
}

// fail notes a failure, and draws the time of the next request once. It is logged where it
// is another one than before.
func (l *loop) fail(f *facts, why *issuance.Failure) {
	now := f.now.UTC().Truncate(time.Second)
	before := l.failed
	failed := &failure{reason: why.Reason, message: why.Message, first: now, last: now, count: 1}
	if _, sourceChanged := l.changed(f); before != nil && l.observed == f.revision && !sourceChanged {
		failed.first, failed.count = before.first, before.count+1
	}
	failed.retryAt = lifetime.RetryAt(lifetime.Failure{
		Class: why.Class, Count: failed.count, First: failed.first, Last: failed.last, RetryAfter: why.RetryAfter,
	}, lifeOf(l.token), l.seed(f))
	l.failed = failed

	known := []any{"credential", f.credential.Name, "reason", why.Reason, "message", why.Message, "retryAt", failed.retryAt}
	if expiresAt := lifeOf(l.token).ExpiresAt; !expiresAt.IsZero() {
		known = append(known, "expiresAt", expiresAt)
	}
	if before != nil && before.reason == why.Reason && before.message == why.Message {
		l.options.Log.Debug("Still no new token could be had", append(known, "count", failed.count)...)
		return
	}
	l.options.Log.Warn("No new token could be had", known...)
}

// succeed takes a new token into use.
func (l *loop) succeed(f *facts, o *outcome) {
	token := o.Token
	if l.failed != nil {
		l.options.Log.Info("Tokens can be had again", "credential", f.credential.Name, "failures", l.failed.count, "since", l.failed.first)
	}
	l.token, l.failed = token, nil
	l.Engine.mu.Lock()
	l.held = token
	l.Engine.mu.Unlock()

	life := lifeOf(token)
	known := []any{"credential", f.credential.Name, "refreshAt", lifetime.RefreshAt(life, policy(f), l.seed(f))}
	if !life.ExpiresAt.IsZero() {
		known = append(known, "expiresAt", life.ExpiresAt)
	}
	l.options.Log.Info("A token was issued", known...)
	l.warn(o.Warnings)
	l.offer(token)
	l.publisher.offer(token)
}

// warn tells of a strange life, once. That one is short is no matter here.
func (l *loop) warn(warnings []lifetime.Warning) {
	warnings = slices.DeleteFunc(slices.Clone(warnings), func(w lifetime.Warning) bool { return w == lifetime.ShortLifetime })
	if !slices.Equal(warnings, l.warned) {
		for _, warning := range warnings {
			l.options.Log.Warn("The provider's word on the token's life was not taken as it stood", "reason", warning)
		}
	}
	l.warned = warnings
}

// offer makes a token the newest set.
func (l *loop) offer(token *secretstore.Token) {
	if set, ok := l.options.Keys.Set(token.Data, lifeOf(token)); ok {
		l.current.Offer(set)
	}
}

// merged are the versions that were found before a request, or, where the request has
// seen others, those.
func merged(before, seen []v1alpha1.SourceVersion) []v1alpha1.SourceVersion {
	all := slices.Clone(before)
	for i := range all {
		for _, version := range seen {
			if version.Kind == all[i].Kind && version.Name == all[i].Name {
				all[i] = version
			}
		}
	}
	return all
}
