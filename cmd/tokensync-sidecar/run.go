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

// followCurrent looks, with each set that is found, whether the sidecar is ready by it: a
// sink that is a source as well may have held it before.
func (p *process) followCurrent(ctx context.Context) error {
	var last *sidecar.Set
	for {
		set, err := p.current.Next(ctx, last)
		if err != nil {
			return nil //nolint:nilerr // The process ends.
		}
		p.check()
		last = set
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
