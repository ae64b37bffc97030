package engine

import (
	"context"
	"log/slog"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// publisher hands tokens to somebody who may fail. Only the newest one counts.
type publisher struct {
	publish func(ctx context.Context, token secretstore.Token) (*issuance.Failure, error)
	clock   clock.WithTicker
	log     *slog.Logger
	seed    string
	// tokens holds the newest one that was not looked at yet.
	tokens chan *secretstore.Token

	// row are the failures since the last success, and told is what was logged of them.
	row  lifetime.Failure
	told issuance.Failure
}

func (e *Engine) publisher() *publisher {
	return &publisher{
		publish: e.options.Publish, clock: e.options.Clock, log: e.options.Log, seed: e.options.Seed,
		tokens: make(chan *secretstore.Token, 1),
	}
}

// offer makes a token the one to publish. It is called by one goroutine only.
func (p *publisher) offer(token *secretstore.Token) {
	select {
	case <-p.tokens:
	default:
	}
	p.tokens <- token
}

// run publishes tokens until the context ends, each until that works or there is another.
func (p *publisher) run(ctx context.Context) {
	if p.publish == nil {
		return
	}
	var (
		token *secretstore.Token
		again time.Time
	)
	for {
		if token = p.next(ctx, token, again); ctx.Err() != nil {
			return
		}
		again = p.try(ctx, token)
	}
}

// next waits for the next token, or for the instant at which to try the one before again;
// zero where that is done.
func (p *publisher) next(ctx context.Context, before *secretstore.Token, again time.Time) *secretstore.Token {
	var due <-chan time.Time
	if !again.IsZero() {
		timer := p.clock.NewTimer(max(again.Sub(p.clock.Now()), time.Millisecond))
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-ctx.Done():
		return nil
	case token := <-p.tokens:
		return token
	case <-due:
		return before
	}
}

// try publishes a token, and answers when to try again; zero where it is published. What
// is refused may be let through unseen, and trying costs no token: so whatever is wrong, it
// is tried again soon.
func (p *publisher) try(ctx context.Context, token *secretstore.Token) time.Time {
	failed, err := p.publish(ctx, *token)
	switch {
	case err == nil && failed == nil:
		if p.row.Count > 0 {
			p.log.Info("The token was published after all", "failures", p.row.Count)
		}
		p.row, p.told = lifetime.Failure{}, issuance.Failure{}
		return time.Time{}
	case ctx.Err() != nil:
		return time.Time{}
	case failed == nil:
		failed = &issuance.Failure{Reason: "APIError"} // Its text may differ each time.
		p.tell(failed, err.Error())
	default:
		p.tell(failed, failed.Message)
	}
	now := p.clock.Now().UTC().Truncate(time.Second)
	p.row.Class, p.row.Last = lifetime.Transient, now
	if p.row.Count++; p.row.Count == 1 {
		p.row.First = now
	}
	return lifetime.RetryAt(p.row, lifeOf(token), p.seed)
}

// tell logs a failure that is another one than before.
func (p *publisher) tell(failed *issuance.Failure, message string) {
	if p.told == *failed {
		p.log.Debug("The token still could not be published", "reason", failed.Reason, "message", message)
		return
	}
	p.told = *failed
	p.log.Warn("The token could not be published, and that is tried again", "reason", failed.Reason, "message", message)
}
