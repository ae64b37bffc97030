package engine

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/discovery"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/volume"
)

// loop is one run of an engine. What is not below its lock is used by the loop alone.
type loop struct {
	*Engine

	current   *sidecar.Current
	resolver  resolve.Resolver // Its Reader is that of the manifest.
	watch     *watch
	publisher *publisher

	// token is the one in use, nil where there is none.
	token *secretstore.Token
	// sources are the versions that the last request was made from, and observed is the
	// revision of its manifest.
	sources  []v1alpha1.SourceVersion
	observed int
	// failed is the last failure, nil where a token came after it.
	failed *failure
	// handled is how many of the refreshes that were asked for are served.
	handled uint64

	manifest  sidecar.News
	suspended bool
	warned    []lifetime.Warning

	mu sync.Mutex
	// request is the one that waits or is under way, and outcome what came of one that has
	// ended; both are nil where there is none.
	request *request
	outcome *outcome
	// lastRequest is when the last request was decided on, and once it went out, when.
	lastRequest time.Time
	// bucket bounds the requests that no schedule made due, and step is how fast it
	// refills: by the last known token, which is the measure for its successor too.
	bucket lifetime.Bucket
	step   time.Duration
	// repairs bounds how often a token is published once more.
	repairs lifetime.Bucket
	// sent are the requests that the provider may be at work on.
	sent sync.WaitGroup
}

// Run implements sidecar.Source. It answers no error: whatever is wrong may be mended from
// outside.
func (e *Engine) Run(ctx context.Context, into *sidecar.Current) error {
	ctx, cancel := context.WithCancel(ctx)
	l := e.newLoop(ctx, into)
	var beside sync.WaitGroup
	beside.Go(func() { l.watch.run(ctx) })
	beside.Go(func() { l.publisher.run(ctx) })
	for ctx.Err() == nil {
		l.sleep(ctx, l.pass(ctx))
	}
	cancel()
	l.abandon()
	l.sent.Wait()
	beside.Wait()
	return nil
}

func (e *Engine) newLoop(ctx context.Context, into *sidecar.Current) *loop {
	now := e.options.Clock.Now
	l := &loop{
		Engine: e, current: into, watch: e.watch(), publisher: e.publisher(), step: lifetime.BucketStep(lifetime.Token{}),
		resolver: resolve.Resolver{
			Expressions: e.expressions, Now: now,
			Issuers: discovery.NewCache(discovery.Options{Discoverer: discoverer{Discoverer: e.options.Client, until: ctx}, Now: now}),
		},
	}
	e.mu.Lock()
	l.handled = e.asked // What was asked for before has been served by somebody else.
	l.observed = e.loaded.revision
	if e.refused {
		e.asked++
	}
	l.token, l.sources = e.held, e.sources
	unpublished := e.unpublished
	e.unpublished, e.refused, e.drifted = false, false, false
	e.mu.Unlock()
	if l.token == nil || lifeOf(l.token).Expired(now()) {
		return l
	}
	l.offer(l.token)
	if unpublished {
		l.publisher.offer(l.token)
	}
	return l
}

// pass is one turn of the loop, and answers when to look again; never where that is zero.
func (l *loop) pass(ctx context.Context) time.Time {
	f := l.gather(ctx)
	if o := l.take(f); o != nil {
		l.settle(f, o)
	}
	decision := lifetime.Decide(l.lifetimeFacts(f), f.now)
	switch decision.Action {
	case lifetime.Request:
		l.start(ctx, f, decision)
	case lifetime.Repair:
		l.repair(f)
	case lifetime.Wait, lifetime.Publish:
	}
	return decision.NextLook
}

// repair has the token in use published once more.
func (l *loop) repair(f *facts) {
	l.Engine.mu.Lock()
	l.drifted = false
	l.Engine.mu.Unlock()
	l.repairs = l.repairs.Draw(lifetime.RepairStep, f.now)
	l.publisher.offer(l.token)
}

// sleep waits for an instant, or for anything that changes.
func (l *loop) sleep(ctx context.Context, until time.Time) {
	var due <-chan time.Time
	if !until.IsZero() {
		timer := l.options.Clock.NewTimer(max(until.Sub(l.options.Clock.Now()), time.Millisecond))
		defer timer.Stop()
		due = timer.C()
	}
	select {
	case <-ctx.Done():
	case <-due:
	case <-l.wake:
	}
}

func (l *loop) noteManifest(err error) {
	switch other := l.manifest.Is(err); {
	case other && err != nil:
		l.options.Log.Warn("The manifest cannot be used, and the last good one stays in use", "error", err)
	case other:
		l.options.Log.Info("The manifest can be used again")
	}
}

// reload reads the manifest anew where it has changed. One that cannot be used changes
// nothing.
func (l *loop) reload(ctx context.Context) *loaded {
	l.Engine.mu.Lock()
	before := l.loaded
	l.Engine.mu.Unlock()
	content, err := volume.File(l.options.File, maxManifest)
	if err == nil && bytes.Equal(content, before.content) {
		l.noteManifest(nil)
		return before
	}
	var read *loaded
	if err == nil {
		read, err = l.load(ctx, content)
	}
	l.noteManifest(err)
	if err != nil {
		return before
	}
	read.succeeds(before)
	if read.revision != before.revision {
		l.options.Log.Info("The manifest has changed", "credential", read.credential.Name)
	}
	l.Engine.mu.Lock()
	defer l.Engine.mu.Unlock()
	l.loaded = read
	return read
}

// discoverer asks issuers no longer than the engine runs. The cache of their metadata does
// not give up by itself what others may wait for.
type discoverer struct {
	discovery.Discoverer

	until context.Context //nolint:containedctx // It is that of the run, which the cache knows nothing of.
}

// Discover implements discovery.Discoverer.
func (d discoverer) Discover(ctx context.Context, request oauth.MetadataRequest) (*oauth.Metadata, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(d.until, cancel) //nolint:contextcheck // The end of the run ends it as well.
	defer stop()
	return d.Discoverer.Discover(ctx, request)
}
