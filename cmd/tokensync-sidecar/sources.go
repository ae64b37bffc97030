package main

import (
	"context"

	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/internal/sidecar/mount"
	"github.com/tokensync/tokensync/internal/sidecar/watch"
)

// addSource adds the one source, and answers whom to ask for a fresh token.
func (p *process) addSource() (sidecar.Refresher, error) {
	switch source := p.settings.Source; {
	case source.Secret != "":
		return p.addWatch()
	case source.Mount != "":
		p.addRun(&mount.Source{Dir: source.Mount, Keys: source.Keys, Clock: p.clock, Log: p.log})
		return nobody{}, nil
	default:
		return nobody{}, nil
	}
}

// addRun adds a source.
func (p *process) addRun(source sidecar.Source) {
	p.add(func(ctx context.Context) error { return source.Run(ctx, p.current) })
}

// addWatch adds --secret.
func (p *process) addWatch() (sidecar.Refresher, error) {
	client, err := p.connect()
	if err != nil {
		return nil, err
	}
	watched := &watch.Source{
		Client: client, Name: p.settings.Source.Secret, Keys: p.settings.Source.Keys,
		Clock: p.clock, Log: p.log, Refreshes: p.settings.Sinks.ProxyListen != nil, Connected: p.health.SourceUp,
	}
	p.addRun(watched)
	return watched, nil
}

// connect speaks to the API server.
func (p *process) connect() (*kube.Client, error) {
	source := p.settings.Source
	return kube.Connect(kube.Options{Kubeconfig: source.Kubeconfig, Namespace: source.Namespace, Version: version})
}

// nobody can be asked for a fresh token.
type nobody struct{}

// Refresh implements sidecar.Refresher.
func (nobody) Refresh(context.Context) error { return sidecar.ErrNoRefresh }
