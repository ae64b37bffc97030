package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/health"
	"github.com/tokensync/tokensync/internal/sidecar/settings"
)

// gcPercent trades some CPU for memory: there is a sidecar in every pod, and it has next to
// nothing to do.
const gcPercent = 20

// process is one sidecar.
type process struct {
	settings *settings.Settings
	log      *slog.Logger
	clock    clock.RealClock
	current  *sidecar.Current
	health   *health.Health
	// parts are what runs until the process ends, or until one of them fails.
	parts []func(ctx context.Context) error
	// done ends the process, and started is for what is done once it is ready.
	done    context.CancelFunc
	started sync.Once
}

// run runs the sidecar until the context ends, or with --once until the token is where it
// is wanted.
func run(ctx context.Context, s *settings.Settings) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	handler := s.LogHandler(os.Stderr)
	klog.SetLogger(logr.FromSlogHandler(handler))
	log.SetOutput(io.Discard) // Where net/http quotes what an upstream has sent.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := &process{settings: s, log: slog.New(handler), current: sidecar.NewCurrent(), done: cancel}
	p.health = health.New(health.Options{Current: p.current, Sinks: sinkNames(s), Version: version, Clock: p.clock})
	if err := p.build(ctx); err != nil {
		return err
	}
	p.log.Info("Starting", "version", version)
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range p.parts {
		group.Go(func() error { return part(ctx) })
	}
	if err := group.Wait(); err != nil || !s.Life.Once {
		return err
	}
	if err := p.health.Ready(); err != nil {
		return fmt.Errorf("ended before a token was delivered: %w", err)
	}
	return nil
}

// build makes the parts, so that what cannot work is told before anything begins.
func (p *process) build(ctx context.Context) error {
	p.add(p.followCurrent)
	refresher, err := p.addSource(ctx)
	if err != nil {
		return err
	}
	if err := p.addFiles(); err != nil {
		return err
	}
	if p.settings.Life.Once {
		return nil // What serves would end before anybody asks.
	}
	if err := p.addEndpoint(ctx); err != nil {
		return err
	}
	if err := p.addProxy(ctx, refresher); err != nil {
		return err
	}
	return p.addHealth(ctx)
}

// followCurrent tells of each set that is found, and of its end where no other has come
// until then. It also looks whether the sidecar is ready by it: a sink that is a source as
// well may have held it before.
func (p *process) followCurrent(ctx context.Context) error {
	var last *sidecar.Set
	for {
		waits, done := ctx, context.CancelFunc(func() {})
		if end := p.expiry(last); !end.IsZero() {
			waits, done = context.WithDeadline(ctx, end)
		}
		set, err := p.current.Next(waits, last)
		done()
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // The process ends.
		case err != nil:
			p.log.Warn("The token has expired, and its source has brought no other", "expiresAt", last.Life.ExpiresAt)
		default:
			p.tell(set)
			p.check()
			last = set
		}
	}
}

// expiry is when a set expires that has not done so yet, zero for none.
func (p *process) expiry(set *sidecar.Set) time.Time {
	if set == nil || set.Life.ExpiresAt.IsZero() || !set.Usable(p.clock.Now()) {
		return time.Time{}
	}
	return set.Life.ExpiresAt
}

// tell tells of a set that was found.
func (p *process) tell(set *sidecar.Set) {
	key := p.settings.Source.Keys.Expiry
	switch text := set.Data[key]; {
	case !set.Usable(p.clock.Now()):
		p.log.Warn("The token that was found has expired: whoever refreshes it has not done so", "expiresAt", set.Life.ExpiresAt)
	case set.Life.ExpiresAt.IsZero() && len(text) > 0:
		p.log.Warn("The end of the token cannot be read, and it counts as one that has none: write it as 2026-01-31T12:00:00Z, "+
			"or name another key with --expiry-key", "key", key)
	case set.Life.ExpiresAt.IsZero():
		p.log.Info("A token was found, which does not say when it ends")
	default:
		p.log.Info("A token was found", "expiresAt", set.Life.ExpiresAt)
	}
}

// add adds a part.
func (p *process) add(part func(ctx context.Context) error) { p.parts = append(p.parts, part) }

// delivered notes that a sink holds a set, or why it does not.
func (p *process) delivered(sink string, set *sidecar.Set, err error) {
	p.health.Delivered(sink, set, err)
	p.check()
}

// check does what is to be done once the sidecar is ready.
func (p *process) check() {
	switch {
	case p.health.Ready() != nil:
	case p.settings.Life.Once:
		p.done()
	default:
		p.started.Do(giveBack)
	}
}
