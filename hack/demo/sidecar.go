package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
	"github.com/tokensync/tokensync/test/operator"
)

// brought is the credential whose token a sidecar brings to a consumer: its tokens are
// among those with the shortest lives. Its Secret has the same name.
const brought, broughtNamespace, broughtSecret = "billing/invoices", "billing", "invoices"

// startSidecar starts a sidecar as it would run in a pod of the consumer.
func (d *demo) startSidecar(ctx context.Context) (string, error) {
	var err error
	if d.tokens, err = memoryDirectory(); err != nil {
		return "", err
	}
	d.sidecar, err = operator.StartSidecar(ctx, operator.Options{
		Binary:     filepath.Join(cluster.Root(), "bin", "tokensync-sidecar"),
		Kubeconfig: d.cluster.Kubeconfig,
		Arguments:  []string{"--namespace=" + broughtNamespace, "--secret=" + broughtSecret, "--output-dir=" + d.tokens},
		Log:        d.log,
	})
	return "bin/tokensync-sidecar, from the Secret " + brought + " to a file", err
}

// memoryDirectory makes a directory in memory, as the volume for the token of a pod is,
// or else on disk.
func memoryDirectory() (string, error) {
	const pattern = "tokensync-demo-"
	if path, err := os.MkdirTemp("/dev/shm", pattern); err == nil {
		return path, nil
	}
	return os.MkdirTemp("", pattern)
}

// followSecret notes when each token was in the Secret that the sidecar watches, as
// soon as a program can know of that.
func (d *demo) followSecret(ctx context.Context) error {
	scheme, err := cluster.Scheme()
	if err != nil {
		return err
	}
	watcher, err := client.NewWithWatch(d.cluster.Config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		events, err := watcher.Watch(ctx, &corev1.SecretList{}, client.InNamespace(broughtNamespace),
			client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", broughtSecret)})
		if err != nil {
			return fmt.Errorf("watch the Secret %s: %w", brought, err)
		}
		for event := range events.ResultChan() {
			if secret, ok := event.Object.(*corev1.Secret); ok {
				d.board.delivery.inSecret(string(secret.Data[v1alpha1.KeyAccessToken]), time.Now())
			}
		}
		events.Stop()
	}
	return nil
}

// followFile notes when each token was in the file of the sidecar.
func (d *demo) followFile(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Close() }() // It was only read from.
	if err := watcher.Add(d.tokens); err != nil {
		return fmt.Errorf("watch the files: %w", err)
	}
	for {
		if token, err := os.ReadFile(filepath.Join(d.tokens, v1alpha1.KeyAccessToken)); err == nil {
			d.board.delivery.inFile(string(token), time.Now())
		}
		select {
		case <-watcher.Events:
		case err := <-watcher.Errors:
			return fmt.Errorf("watch the files: %w", err)
		case <-ctx.Done():
			return nil
		}
	}
}
