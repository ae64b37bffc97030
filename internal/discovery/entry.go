package discovery

import (
	"errors"
	"time"

	"github.com/tokensync/tokensync/internal/oauth"
)

// flight is a request under way. Its results may be read once it has landed.
type flight struct {
	landed   chan struct{}
	metadata *oauth.Metadata
	failure  error
}

// entry is what is known about one issuer.
type entry struct {
	key oauth.MetadataKey
	// pool is the one that the key is of.
	pool string
	// metadata is the last answer, nil where there was none, and askedAt when it
	// was asked for.
	metadata *oauth.Metadata
	askedAt  time.Time
	// doubted is true where somebody has reason to think that it has changed.
	doubted bool
	// failure is what has gone wrong since, nil where nothing has.
	failure  error
	failedAt time.Time
	// flight is nil where no request is under way.
	flight *flight
}

// isFresh tells whether the answer needs no second look. One of the future, as
// after a step of the clock, does.
func (e *entry) isFresh(now time.Time) bool {
	age := now.Sub(e.askedAt)

	return age >= 0 && age < freshFor && !e.doubted
}

// kept returns the answer unless it is too old for any use.
func (e *entry) kept(now time.Time) *oauth.Metadata {
	if now.Sub(e.askedAt) >= keptFor {
		return nil
	}

	return e.metadata
}

// hasJustFailed tells whether it is too early to ask again.
func (e *entry) hasJustFailed(now time.Time) bool {
	if e.failure == nil {
		return false
	}

	wait := failedFor
	if failed, ok := errors.AsType[*oauth.Error](e.failure); ok {
		wait = max(wait, failed.RetryAfter)
	}

	since := now.Sub(e.failedAt)

	return since >= 0 && since < wait
}
