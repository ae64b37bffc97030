package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/rest"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
	"github.com/tokensync/tokensync/test/standin"
)

// clientSecret is what the provider knows all clients by.
const clientSecret = "the-secret-of-a-benchmark"

// bench is everything that runs, and what was measured of it.
type bench struct {
	options options
	began   time.Time
	report  report

	cluster       *cluster.Cluster
	http          *http.Client // as an administrator
	provider      *standin.Server
	tokenURL      string
	stopProvider  func()
	kubeconfig    string // of the operator
	log           *os.File
	operator      *operator.Process
	consumer      *consumer
	unwatch       func()
	podKubeconfig string        // of sidecars
	sidecarCPU    time.Duration // of those that have ended
	machine       machine
}

// run measures one phase after the other.
func (b *bench) run(ctx context.Context) error {
	if err := b.setUp(ctx); err != nil {
		return err
	}
	b.machine = b.readMachine()
	for _, phase := range []struct {
		name    string
		measure func(context.Context) error
	}{
		{"ceiling", b.measureCeiling},
		{"sidecar", b.measureSidecar},
		{"ready", b.measureReady},
		{"refresh", b.measureRefresh},
		{"restart", b.measureRestart},
		{"outage", b.measureOutage},
	} {
		if !b.options.runs(phase.name) {
			continue
		}
		if err := phase.measure(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%s: %w%s", phase.name, err, b.logTail())
		}
	}
	b.measureEnd()
	return nil
}

// say tells how far it has come.
func (b *bench) sayf(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "%7.1f s  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, arguments...))
}

// setUp starts all but the operator.
func (b *bench) setUp(ctx context.Context) error {
	b.report.Options = map[string]string{"sidecars": fmt.Sprint(b.options.sidecars)}
	if b.options.makesCredentials() {
		b.report.Options = map[string]string{
			"credentials": fmt.Sprint(b.options.n), "lifetime": b.options.lifetime.String(), "sidecars": fmt.Sprint(b.options.sidecars),
			"namespaces": fmt.Sprint(b.options.namespaces), "provider": b.options.providers(), "operator flags": strings.Join(b.options.arguments, " "),
		}
	}
	b.sayf("start the control plane")
	var err error
	if b.cluster, err = cluster.StartContext(ctx); err != nil {
		return err
	}
	if b.http, err = rest.HTTPClientFor(b.cluster.Config); err != nil {
		return err
	}
	b.provider = standin.NewOAuth(standin.Options{
		Lifetime:  b.options.lifetime,
		AnyClient: func(_, secret string) bool { return secret == clientSecret },
	})
	b.recoverProvider()
	if b.tokenURL, b.stopProvider, err = b.provider.Listen(); err != nil {
		return err
	}
	b.tokenURL += standin.TokenPath
	if b.log, err = os.Create(filepath.Join(filepath.Dir(b.cluster.Kubeconfig), "operator.log")); err != nil {
		return err
	}
	if err := b.grant(ctx); err != nil {
		return err
	}
	if err := b.createNamespaces(ctx); err != nil {
		return err
	}
	if b.options.shared {
		if err := b.createProvider(ctx); err != nil {
			return err
		}
	}
	// Before the ceiling, which the same consumers are to watch.
	return b.watchAll(ctx)
}

// recoverProvider makes the provider answer, after its latency.
func (b *bench) recoverProvider() {
	b.provider.Behave()
	if b.options.latency > 0 {
		b.provider.Misbehave(standin.Behavior{Delay: b.options.latency})
	}
}

// issued is how many tokens the provider has issued, requested how many token
// requests it has had.
func (b *bench) issued() int64    { return b.provider.Counts().Outcomes[standin.Issued] }
func (b *bench) requested() int64 { return b.provider.Counts().Requests }

// startOperator starts the operator as its own user, with its default flags but
// for loopback being allowed.
func (b *bench) startOperator(ctx context.Context) error {
	var err error
	b.operator, err = operator.Start(ctx, operator.Options{
		Binary:     b.options.binary,
		Kubeconfig: b.kubeconfig,
		Arguments:  b.options.arguments,
		Log:        b.log,
	})
	return err
}

// await waits until something is so, and says now and then how far it is.
func (b *bench) await(ctx context.Context, limit time.Duration, done func() bool, progress func() string) error {
	const look, tell = 10 * time.Millisecond, 10 * time.Second
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	deadline, told := time.Now().Add(limit), time.Now()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if b.operator != nil && !b.operator.Running() {
			return errors.New("the operator has ended")
		}
		if err := b.consumer.failed(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not done within %s: %s", limit, progress())
		}
		if time.Since(told) > tell {
			told = time.Now()
			b.sayf("  %s", progress())
		}
	}
	return nil
}

// pause waits until an instant.
func (b *bench) pause(ctx context.Context, until time.Time) error {
	return b.await(ctx, time.Hour, func() bool { return !time.Now().Before(until) },
		func() string { return fmt.Sprintf("%.0f s to wait", time.Until(until).Seconds()) })
}

// logTail is the end of what operator and sidecars have logged.
func (b *bench) logTail() string {
	const lines = 10
	content, err := os.ReadFile(b.log.Name())
	if err != nil || len(content) == 0 {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "; the end of the log:\n" + strings.Join(all[max(0, len(all)-lines):], "\n")
}

// stop ends everything that was started.
func (b *bench) stop() error {
	var errs []error
	if b.unwatch != nil {
		b.unwatch()
	}
	if b.operator != nil {
		errs = append(errs, b.operator.Stop())
	}
	if b.stopProvider != nil {
		b.stopProvider()
	}
	if b.log != nil {
		errs = append(errs, b.log.Close())
	}
	if b.cluster != nil {
		errs = append(errs, b.cluster.Stop())
	}
	return errors.Join(errs...)
}
