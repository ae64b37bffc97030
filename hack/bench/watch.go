package main

import (
	"context"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/test/cluster"
)

// watchSeconds is longer than any run, so that no watch ends and begins anew.
const watchSeconds int64 = 6 * 60 * 60

// watchAll begins to watch all target Secrets and all credentials.
func (b *bench) watchAll(ctx context.Context) error {
	b.consumer = newConsumer(b.provider, b.options.n)
	scheme, err := cluster.Scheme()
	if err != nil {
		return err
	}
	watcher, err := client.NewWithWatch(b.cluster.Config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	seconds := watchSeconds
	options := &client.ListOptions{Raw: &metav1.ListOptions{TimeoutSeconds: &seconds}}
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	b.unwatch = func() { cancel(); following.Wait() }
	for list, selector := range map[client.ObjectList]client.MatchingLabels{
		&corev1.SecretList{}:            {v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync},
		&v1alpha1.OAuthCredentialList{}: {},
	} {
		following.Go(func() {
			for ctx.Err() == nil {
				events, err := watcher.Watch(ctx, list, options, selector)
				if ctx.Err() == nil && err != nil {
					b.consumer.fail(err)
				}
				if err != nil {
					return
				}
				b.consumer.follow(events)
			}
		})
	}
	return nil
}

// follow hands the events of a watch on, until the API server ends it, as it does
// to those that cannot keep up. The next watch begins with how things are then.
func (c *consumer) follow(events watch.Interface) {
	defer events.Stop()
	for event := range events.ResultChan() {
		now := time.Now()
		if object, ok := event.Object.(client.Object); ok && !strings.HasPrefix(object.GetNamespace(), "bench-") {
			continue // It is not the operator's.
		}
		switch object := event.Object.(type) {
		case *corev1.Secret:
			c.seeSecret(object.Namespace+"/"+object.Name, string(object.Data[v1alpha1.KeyAccessToken]), now)
		case *v1alpha1.OAuthCredential:
			c.seeStatus(object, now)
		default:
			return
		}
	}
}

// seeStatus takes the status of a credential.
func (c *consumer) seeStatus(credential *v1alpha1.OAuthCredential, now time.Time) {
	status := metav1.ConditionUnknown
	if ready := meta.FindStatusCondition(credential.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		status = ready.Status
	}
	var refreshAt time.Time
	if credential.Status.RefreshAt != nil {
		refreshAt = credential.Status.RefreshAt.Time
	}
	c.seeCredential(credential.Namespace+"/"+credential.Name, status == metav1.ConditionTrue, refreshAt, now)
}
