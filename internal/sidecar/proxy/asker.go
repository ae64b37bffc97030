package proxy

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
)

const (
	// patience is how long requests wait for a token that was asked for.
	patience = 10 * time.Second
	// minPause is the shortest time between two asks: what asking takes at most.
	minPause = patience
	// unknownPause is that time where it is not known how long the token lives. Such a token
	// is refreshed every hour, and this is a tenth of it.
	unknownPause = 6 * time.Minute
)

// asker asks for another token where the upstream refused one, once for all requests.
type asker struct {
	current   *sidecar.Current
	refresher sidecar.Refresher
	key       string
	clock     clock.Clock
	log       *slog.Logger
	metrics   Metrics

	// stop is closed when all is over, and running counts what goes on until then.
	stop    chan struct{}
	running sync.WaitGroup

	mu sync.Mutex
	// round is the one under way, if one is.
	round *round
	// next is the first instant at which asking is right again.
	next   time.Time
	closed bool
}

// round is one time of asking.
type round struct {
	refused *sidecar.Set
	// done is closed when found is what came of it, nil for nothing.
	done  chan struct{}
	found *sidecar.Set
}

func newAsker(o Options) *asker {
	return &asker{
		current: o.Current, refresher: o.Refresher, key: o.TokenKey,
		clock: o.Clock, log: o.Log, metrics: o.Metrics, stop: make(chan struct{}),
	}
}

// close ends a round that is under way, and lets none begin.
func (a *asker) close() {
	a.mu.Lock()
	if !a.closed {
		a.closed = true
		close(a.stop)
	}
	a.mu.Unlock()
	a.running.Wait()
}

// another answers a set with another token than the one that was refused, nil for none.
// It asks for one where that is the newest there is, and then waits for it, if it is to.
func (a *asker) another(ctx context.Context, refused *sidecar.Set, wait bool) *sidecar.Set {
	if !sameToken(a.current.Set(), refused) {
		return a.other(refused)
	}
	r := a.ask(ctx, refused)
	if r == nil || !wait {
		return a.other(refused)
	}
	select {
	case <-r.done:
		return r.found
	case <-ctx.Done():
		return nil
	}
}

// ask begins a round, or joins the one about the same token. It answers nil where it is
// too soon for one. A token that is refused right after it came is no reason to ask for
// the next: the pause goes by the last ask, whichever token that was about.
func (a *asker) ask(ctx context.Context, refused *sidecar.Set) *round {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.round != nil && sameToken(a.round.refused, refused) {
		return a.round
	}
	now := a.clock.Now()
	if a.round != nil || a.closed || now.Before(a.next) {
		return nil
	}
	r := &round{refused: refused, done: make(chan struct{})}
	a.round = r
	// Others may wait for it when the first client is gone.
	ctx = context.WithoutCancel(ctx)
	a.running.Go(func() { a.run(ctx, r, now) })
	return r
}

// run is one round.
func (a *asker) run(ctx context.Context, r *round, asked time.Time) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := a.clock.NewTimer(patience)
	a.running.Go(func() {
		defer timer.Stop()
		select {
		case <-timer.C():
		case <-a.stop:
		case <-ctx.Done():
		}
		cancel()
	})
	err := sidecar.ErrNoRefresh
	if a.refresher != nil {
		err = a.refresher.Refresh(ctx)
	}
	a.report(err)
	next := asked.Add(pause(r.refused.Life))
	if err != nil && !errors.Is(err, sidecar.ErrNoRefresh) && ctx.Err() == nil {
		// Nobody was asked. (What takes until the time is over may have been heard.)
		next = asked.Add(minPause)
	}
	found := a.other(r.refused)
	if err == nil && found == nil {
		found = a.await(ctx, r.refused)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.round, a.next = nil, next
	r.found = found
	close(r.done)
}

// report tells what came of asking.
func (a *asker) report(err error) {
	a.metrics.RefreshRequest(err)
	switch {
	case errors.Is(err, sidecar.ErrNoRefresh):
		a.log.Warn("The upstream refused the token, and there is nobody to ask for another: it is replaced when its source brings the next")
	case err != nil:
		a.log.Warn("The upstream refused the token, and asking for another failed", "error", err)
	default:
		a.log.Info("The upstream refused the token: asked for another")
	}
}

// await waits for a set with another token, nil for none.
func (a *asker) await(ctx context.Context, refused *sidecar.Set) *sidecar.Set {
	last := refused
	for {
		set, err := a.current.Next(ctx, last)
		if err != nil {
			a.log.Warn("No other token came in time for the requests that wait for it")
			return a.other(refused)
		}
		if found := a.other(refused); found != nil {
			return found
		}
		last = set
	}
}

// other is the newest set, if it has another token that can be used, else nil.
func (a *asker) other(refused *sidecar.Set) *sidecar.Set {
	set := a.current.Set()
	if code, _ := loopback.Missing(set, a.key, a.clock.Now()); code != "" || sameToken(set, refused) {
		return nil
	}
	return set
}

// sameToken tells whether two sets are presented in the same way. Other keys beside the
// token may differ.
func sameToken(a, b *sidecar.Set) bool { return a.Type == b.Type && a.Token.Equal(b.Token) }

// pause is how long not to ask again: a tenth of the life of the token.
func pause(life lifetime.Token) time.Duration {
	if life.IssuedAt.IsZero() || life.ExpiresAt.IsZero() {
		return unknownPause
	}
	return max(minPause, life.Lifetime()/10)
}
