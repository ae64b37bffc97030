package main

import (
	"context"
	"crypto/rand"
	"net/netip"
	"os"
	"time"

	"github.com/tokensync/tokensync/internal/egress"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/sidecar"
	"github.com/tokensync/tokensync/internal/sidecar/engine"
	"github.com/tokensync/tokensync/internal/sidecar/health"
	"github.com/tokensync/tokensync/internal/sidecar/kube"
	"github.com/tokensync/tokensync/internal/sidecar/mount"
	"github.com/tokensync/tokensync/internal/sidecar/share"
	"github.com/tokensync/tokensync/internal/sidecar/watch"
)

// addSource adds the one source, and answers whom to ask for a fresh token.
func (p *process) addSource(ctx context.Context) (sidecar.Refresher, error) {
	switch source := p.settings.Source; {
	case source.Secret != "":
		return p.addWatch()
	case source.Mount != "":
		p.addRun(&mount.Source{Dir: source.Mount, Keys: source.Keys, Clock: p.clock, Log: p.log, Connected: p.health.SourceUp})
		return nobody{}, nil
	default:
		return p.addEngine(ctx)
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

// addEngine adds --credential-file, with --secret-output where that is wanted.
func (p *process) addEngine(ctx context.Context) (sidecar.Refresher, error) {
	source := p.settings.Source
	options := engine.Options{
		File: source.CredentialFile, Credential: source.Credential, Namespace: source.Namespace,
		SecretsDir: source.SecretsDir, ConfigMapsDir: source.ConfigMapsDir, ServiceAccountToken: source.ServiceAccountToken,
		Seed: hostname(), Keys: source.Keys,
		Client: p.tokenClient(),
		Gate: gate.New(gate.Options{
			Now:       p.clock.Now,
			AfterFunc: func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop },
		}),
		Clock: p.clock, Log: p.log, Metrics: tokenMetrics{health: p.health, isSource: p.settings.Sinks.SecretOutput == ""},
	}
	if p.settings.Sinks.SecretOutput == "" {
		asks, err := engine.New(ctx, options)
		if err != nil {
			return nil, err
		}
		p.addRun(asks)
		return asks, nil
	}
	shared, err := p.share()
	if err != nil {
		return nil, err
	}
	options.Publish = shared.Publish
	asks, err := engine.New(ctx, options)
	if err != nil {
		return nil, err
	}
	shared.Engine = asks
	p.addRun(shared)
	return shared, nil
}

// share is --secret-output.
func (p *process) share() (*share.Share, error) {
	client, err := p.connect()
	if err != nil {
		return nil, err
	}
	return share.New(share.Options{
		Client: client, Secret: p.settings.Sinks.SecretOutput, Identity: hostname() + "_" + rand.Text(),
		Keys: p.settings.Source.Keys, Clock: p.clock, Log: p.log,
		Delivered: func(set *sidecar.Set, err error) { p.delivered(sinkSecret, set, err) },
		Lost:      func(err error) { p.health.Lost(sinkSecret, err) },
		Connected: p.health.SourceUp,
	}), nil
}

// connect speaks to the API server.
func (p *process) connect() (*kube.Client, error) {
	source := p.settings.Source
	return kube.Connect(kube.Options{Kubeconfig: source.Kubeconfig, Namespace: source.Namespace, Version: version})
}

// tokenClient asks token endpoints.
func (p *process) tokenClient() *oauth.Client {
	source, sinks := p.settings.Source, p.settings.Sinks
	own := addresses(sinks.PodIP, sinks.HostIP, os.Getenv("KUBERNETES_SERVICE_HOST"))
	return oauth.NewClient(oauth.Options{
		Egress:            egress.NewPolicy(egress.Options{Allow: source.EgressAllow, Deny: source.EgressDeny, Own: own}),
		AllowInsecureHTTP: source.AllowInsecureHTTP,
		UseProxy:          source.EgressUseProxy,
		UserAgent:         userAgent(),
		Now:               p.clock.Now,
		Random:            rand.Reader,
	})
}

// addresses are those among texts. Some clusters have a name for the API server, which is no
// address and no mistake.
func addresses(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			all = append(all, address)
		}
	}
	return all
}

// hostname is the name of the pod.
func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// tokenMetrics counts token requests. Where the provider is the source, and not a Secret
// that others may write, the last one tells whether that is up.
type tokenMetrics struct {
	health   *health.Health
	isSource bool
}

// TokenRequest implements engine.Metrics.
func (m tokenMetrics) TokenRequest(result, code string, latency time.Duration) {
	m.health.TokenRequest(result, code, latency)
	if m.isSource {
		m.health.SourceUp(result == "success")
	}
}

// nobody can be asked for a fresh token.
type nobody struct{}

// Refresh implements sidecar.Refresher.
func (nobody) Refresh(context.Context) error { return sidecar.ErrNoRefresh }
