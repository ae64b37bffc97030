package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/endpoint"
	"github.com/tokensync/tokensync/internal/sidecar/files"
	"github.com/tokensync/tokensync/internal/sidecar/health"
	"github.com/tokensync/tokensync/internal/sidecar/loopback"
	"github.com/tokensync/tokensync/internal/sidecar/notify"
	"github.com/tokensync/tokensync/internal/sidecar/proxy"
	"github.com/tokensync/tokensync/internal/sidecar/settings"
)

// The names of the sinks, in metrics and in what /readyz says.
const (
	sinkFiles    = "files"
	sinkSecret   = "secret"
	sinkEndpoint = "endpoint"
	sinkProxy    = "proxy"
)

// sinkNames are the sinks that must hold a token before the sidecar is ready.
func sinkNames(s *settings.Settings) []string {
	var names []string
	for _, sink := range []struct {
		name string
		on   bool
	}{
		{sinkFiles, s.Sinks.OutputDir != ""},
		{sinkSecret, s.Sinks.SecretOutput != ""},
		{sinkEndpoint, s.Sinks.TokenAddress != nil && !s.Life.Once},
		{sinkProxy, s.Sinks.ProxyListen != nil && !s.Life.Once},
	} {
		if sink.on {
			names = append(names, sink.name)
		}
	}
	return names
}

// addFiles adds --output-dir, and whoever is told of it.
func (p *process) addFiles() error {
	sinks := p.settings.Sinks
	if sinks.OutputDir == "" {
		return nil
	}
	notifier, err := p.notifier()
	if err != nil {
		return err
	}
	writer := &files.Writer{
		Dir: sinks.OutputDir, Mode: sinks.OutputMode, Group: sinks.OutputGroup,
		Clock: p.clock, Random: rand.Reader, Log: p.log,
	}
	p.add(func(ctx context.Context) error {
		writer.Run(ctx, p.current, func(set *sidecar.Set, changed bool, err error) {
			p.delivered(sinkFiles, set, err)
			if changed {
				notifier.Changed()
			}
		})
		return nil
	})
	p.add(func(ctx context.Context) error {
		notifier.Run(ctx)
		return nil
	})
	return nil
}

func (p *process) notifier() (*notify.Notifier, error) {
	told := p.settings.Notify
	return notify.New(notify.Options{
		Signal: told.Signal, Process: told.Process, PIDFile: told.PIDFile, URL: told.URL,
		UserAgent: userAgent(), Clock: p.clock, Log: p.log, Metrics: p.health, Seed: hostname(),
	})
}

// addEndpoint adds --token-address.
func (p *process) addEndpoint(ctx context.Context) error {
	address := p.settings.Sinks.TokenAddress
	if address == nil {
		return nil
	}
	listener, err := p.listen(ctx, *address)
	if err != nil {
		return err
	}
	served := endpoint.New(endpoint.Options{
		Current: p.current, TokenKey: p.settings.Source.Keys.Token, Clock: p.clock, Log: p.log,
	})
	p.add(func(ctx context.Context) error { return served.Run(ctx, listener) })
	p.follow(sinkEndpoint)
	return nil
}

// addProxy adds --proxy-listen.
func (p *process) addProxy(ctx context.Context, refresher sidecar.Refresher) error {
	sinks := p.settings.Sinks
	if sinks.ProxyListen == nil {
		return nil
	}
	passes, err := proxy.New(proxy.Options{
		Upstream: sinks.ProxyUpstream, InsecureUpstream: sinks.ProxyInsecureUpstream,
		Current: p.current, Refresher: refresher, TokenKey: p.settings.Source.Keys.Token,
		Clock: p.clock, Log: p.log, Metrics: p.health,
	})
	if err != nil {
		return err
	}
	listener, err := p.listen(ctx, *sinks.ProxyListen)
	if err != nil {
		return err
	}
	p.add(func(ctx context.Context) error { return passes.Run(ctx, listener) })
	p.follow(sinkProxy)
	return nil
}

// follow notes that a sink which reads Current by itself has each set as soon as that is
// there, if there is a token in it.
func (p *process) follow(sink string) {
	p.add(func(ctx context.Context) error {
		for set := range p.current.All(ctx) {
			if _, sentence := loopback.Unusable(set, p.settings.Source.Keys.Token); sentence != "" {
				p.log.Warn("There is no token to serve", "sink", sink, "reason", sentence)
				p.health.Lost(sink, errors.New(sentence))
			} else {
				p.delivered(sink, set, nil)
			}
		}
		return nil
	})
}

// listen listens at an address that must be the pod's alone.
func (p *process) listen(ctx context.Context, address loopback.Address) (net.Listener, error) {
	sinks := p.settings.Sinks
	if err := address.CheckNetwork(sinks.PodIP, sinks.HostIP, sinks.InCluster, sinks.AllowHostNetwork); err != nil {
		return nil, err
	}
	return address.Listen(ctx)
}

// addHealth adds --health-address.
func (p *process) addHealth(ctx context.Context) error {
	address := p.settings.Life.HealthAddress
	if address == health.Off {
		return nil
	}
	listener, err := health.Listen(ctx, p.settings.Origin("health-address"), address)
	if err != nil {
		return err
	}
	p.add(func(ctx context.Context) error { return p.health.Serve(ctx, listener) })
	return nil
}

func userAgent() string { return "tokensync-sidecar/" + version }
