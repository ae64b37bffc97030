package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/client-go/discovery"

	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
)

const (
	frame     = 100 * time.Millisecond // between two pictures
	plainTick = 5 * time.Second        // between two lines without a terminal
	// grace is how long Ctrl-C, which reaches the operator too, may take to reach us.
	grace = 300 * time.Millisecond
)

// demo is everything that runs, and what is shown of it.
type demo struct {
	out    *terminal
	length time.Duration
	keep   bool

	log       *os.File
	cluster   *cluster.Cluster
	providers []*provider
	operator  *operator.Process
	sidecar   *operator.Process
	tokens    string // the directory of the sidecar
	board     *board
}

// run starts everything, shows it, and tells how it went.
func (d *demo) run(ctx context.Context) error {
	if err := d.start(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	parts := []func(context.Context) error{d.check, d.tellStory, d.tellRotation, d.tellPerson, d.followSecret, d.followFile, d.consume}
	failed := make(chan error, len(parts))
	ended := make(chan struct{}, len(parts))
	for _, part := range parts {
		go func() {
			if err := part(ctx); err != nil && ctx.Err() == nil {
				failed <- err
			}
			ended <- struct{}{}
		}()
	}
	err := d.show(ctx, failed)
	cancel()
	for range parts {
		<-ended
	}
	view := d.board.view(time.Now())
	d.summarize(view)
	return errors.Join(err, view.verdict(d.length), view.sidecar.verdict(view.elapsed >= d.length), rotationVerdict(d.providers))
}

// start starts one thing after the other, and says so.
func (d *demo) start(ctx context.Context) error {
	d.out.linef("\n%s", d.out.paint(bold, "tokensync: tokens in Secrets that are always good")+"\n")
	for _, step := range []struct {
		name, doing string
		run         func(context.Context) (string, error)
	}{
		{"control plane", "starting etcd and kube-apiserver", d.startCluster},
		{"providers", "starting stand-ins", d.startProviders},
		{"operator", "starting", d.startOperator},
		{"credentials", "kubectl apply", d.apply},
		{"sidecar", "starting", d.startSidecar},
	} {
		d.out.pendingf("  %s %-14s %s ...", d.out.paint(dim, "·"), step.name, step.doing)
		began := time.Now()
		done, err := step.run(ctx)
		if ctx.Err() != nil {
			d.out.settlef("  %s %-14s given up", d.out.paint(yellow, "✗"), step.name)
			return context.Canceled
		}
		if err != nil {
			d.out.settlef("  %s %-14s failed", d.out.paint(red, "✗"), step.name)
			return fmt.Errorf("%s: %w%s", step.name, err, d.logTail())
		}
		d.out.settlef("  %s %-14s %s %s", d.out.paint(green, "✓"), step.name, done,
			d.out.paint(dim, fmt.Sprintf("(%.1f s)", time.Since(began).Seconds())))
	}
	d.out.linef("")
	d.board = newBoard(credentials(d.providers), time.Now())
	return nil
}

func (d *demo) startCluster(ctx context.Context) (string, error) {
	var err error
	if d.cluster, err = cluster.StartContext(ctx); err != nil {
		return "", err
	}
	client, err := discovery.NewDiscoveryClientForConfig(d.cluster.Config)
	if err != nil {
		return "", err
	}
	version, err := client.ServerVersion()
	if err != nil {
		return "", err
	}
	return "a real kube-apiserver " + version.GitVersion + " and its etcd, on loopback", nil
}

func (d *demo) startProviders(context.Context) (string, error) {
	var err error
	if d.providers, err = startProviders(); err != nil {
		return "", err
	}
	names := make([]string, 0, len(d.providers))
	for _, p := range d.providers {
		names = append(names, fmt.Sprintf("%s (%s tokens)", p.name, p.lifetime))
	}
	return "stand-ins for " + strings.Join(names, ", "), nil
}

func (d *demo) startOperator(ctx context.Context) (string, error) {
	var err error
	if d.log, err = os.Create(d.path("operator.log")); err != nil {
		return "", err
	}
	d.operator, err = operator.Start(ctx, operator.Options{
		Binary:      filepath.Join(cluster.Root(), "bin", "tokensync-operator"),
		Kubeconfig:  d.cluster.Kubeconfig,
		Environment: []string{"POD_NAMESPACE=" + operatorNamespace},
		Log:         d.log,
	})
	return "bin/tokensync-operator, a process of its own", err
}

func (d *demo) apply(ctx context.Context) (string, error) {
	return fmt.Sprintf("kubectl apply: %d samples, and %d credentials more",
		len(samples()), len(credentials(d.providers))-len(samples())), d.applyAll(ctx)
}

// show shows the board until the time is over or Ctrl-C comes.
func (d *demo) show(ctx context.Context, failed <-chan error) error {
	interval := plainTick
	if d.out.live {
		interval = frame
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	deadline := time.NewTimer(d.length)
	defer deadline.Stop()
	stays := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-deadline.C:
			if !d.keep {
				return nil
			}
			stays = true
			d.stay()
		case told := <-d.board.told:
			if !d.out.live {
				d.out.linef("%s", told)
			}
			continue
		case <-ticker.C:
		}
		if !d.operator.Running() {
			return d.ended(ctx, "operator")
		}
		d.refresh(stays)
	}
}

// refresh shows how things stand.
func (d *demo) refresh(stays bool) {
	view := d.board.view(time.Now())
	if !d.out.live {
		if !stays {
			d.out.linef("%s", view.line())
		}
		return
	}
	lines := append(d.out.table(view), "")
	if stays {
		lines = append(lines, d.playground()...)
	}
	d.out.draw(append(lines, d.out.paint(dim, "  Ctrl-C ends it.")))
}

// stay says how to play with what is left up.
func (d *demo) stay() {
	if d.out.live {
		return // It stands under the table from now on.
	}
	for _, line := range d.playground() {
		d.out.linef("%s", line)
	}
}

func (d *demo) playground() []string {
	return []string{
		"  It stays up. In another shell:",
		"    export KUBECONFIG=" + d.cluster.Kubeconfig,
		"    export PATH=" + cluster.Assets() + ":" + filepath.Join(cluster.Root(), "bin") + ":$PATH",
		"    kubectl get oauthcredentials -A",
		"    kubectl tokensync status -A",
		"",
	}
}

// ended tells a process that died from one that Ctrl-C has ended.
func (d *demo) ended(ctx context.Context, process string) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(grace):
		return fmt.Errorf("the %s has ended%s", process, d.logTail())
	}
}

// logTail is the end of what operator and sidecar have logged.
func (d *demo) logTail() string {
	const lines = 10
	if d.log == nil {
		return ""
	}
	content, err := os.ReadFile(d.log.Name())
	if err != nil || len(content) == 0 {
		return ""
	}
	all := strings.Split(strings.TrimSpace(string(content)), "\n")
	return "; the end of the log:\n" + strings.Join(all[max(0, len(all)-lines):], "\n")
}

// path is where a file of the demo lies: with those of the cluster, which go
// together with it.
func (d *demo) path(name string) string {
	return filepath.Join(filepath.Dir(d.cluster.Kubeconfig), name)
}

// stop ends everything that was started, and removes what it left.
func (d *demo) stop() error {
	var errs []error
	for _, process := range []*operator.Process{d.sidecar, d.operator} {
		if process != nil {
			errs = append(errs, process.Stop())
		}
	}
	if d.tokens != "" {
		errs = append(errs, os.RemoveAll(d.tokens))
	}
	for _, p := range d.providers {
		if p.stop != nil {
			p.stop()
		}
	}
	if d.log != nil {
		errs = append(errs, d.log.Close())
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.Stop())
	}
	return errors.Join(errs...)
}
