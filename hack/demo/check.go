package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// checkInterval is how often a consumer reads every Secret.
const checkInterval = 100 * time.Millisecond

// check is the consumer of all tokens: it reads every Secret over and over, and
// asks the provider whether the token in it is good.
func (d *demo) check(ctx context.Context) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		if err := d.checkTokens(ctx); err != nil {
			return err
		}
		if err := d.readStatus(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (d *demo) checkTokens(ctx context.Context) error {
	secrets := &corev1.SecretList{}
	if err := d.cluster.Client.List(ctx, secrets, client.MatchingLabels{v1alpha1.LabelManagedBy: v1alpha1.ManagedByTokensync}); err != nil {
		return fmt.Errorf("read the Secrets: %w", err)
	}
	found := map[string]*corev1.Secret{}
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		if secret.Labels[v1alpha1.LabelRole] == v1alpha1.RoleGrant {
			continue // No pod mounts it.
		}
		found[secret.Namespace+"/"+secret.Labels[v1alpha1.LabelCredential]] = secret
	}
	for _, c := range credentials(d.providers) {
		secret := found[c.key()]
		if secret == nil {
			d.board.update(c.key(), func(r *row) { r.there, r.good = false, false })
			continue
		}
		_, expiresAt, good := c.provider.server.Check(string(secret.Data[v1alpha1.KeyAccessToken]))
		d.board.checked(c.key(), good, time.Until(expiresAt))
		d.board.update(c.key(), func(r *row) {
			r.there, r.good, r.expiresAt, r.uid = true, good, expiresAt, string(secret.UID)
			r.everGood = r.everGood || good
		})
	}
	return nil
}

func (d *demo) readStatus(ctx context.Context) error {
	list := &v1alpha1.OAuthCredentialList{}
	if err := d.cluster.Client.List(ctx, list); err != nil {
		return fmt.Errorf("read the credentials: %w", err)
	}
	for i := range list.Items {
		status := &list.Items[i].Status
		d.board.update(list.Items[i].Namespace+"/"+list.Items[i].Name, func(r *row) {
			r.reason, r.failing, r.code = "", "", ""
			if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
				r.reason = ready.Reason
			}
			if status.LastFailure != nil {
				r.failing = status.LastFailure.Reason
				r.code = codeIn(status.LastFailure.Message)
			}
			if status.RefreshAt != nil {
				r.refreshAt = status.RefreshAt.Time
			}
		})
	}
	return nil
}
