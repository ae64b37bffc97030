package oauthcredential

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/redact"
)

// bootstraps are which credential has begun with which refresh token, by their keyed
// hashes: two that spend the same one would end it for each other. It is safe for
// concurrent use.
type bootstraps struct {
	mu     sync.Mutex
	holder map[string]holder
	noted  bool
}

type holder struct {
	uid  types.UID
	name types.NamespacedName
}

// claim notes that a credential begins with a value, and answers who did before.
func (b *bootstraps) claim(hash string, by holder) (holder, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holder == nil {
		b.holder = map[string]holder{}
	}
	if first, ok := b.holder[hash]; ok && first.uid != by.uid {
		return first, false
	}
	b.holder[hash] = by
	return by, true
}

// release forgets a credential that is gone.
func (b *bootstraps) release(uid types.UID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for hash, held := range b.holder {
		if held.uid == uid {
			delete(b.holder, hash)
		}
	}
}

// noteBootstraps notes, once, what the credentials have begun with so far.
func (r *Reconciler) noteBootstraps(ctx context.Context) error {
	r.bootstraps.mu.Lock()
	noted := r.bootstraps.noted
	r.bootstraps.mu.Unlock()
	if noted {
		return nil
	}
	all := &v1alpha1.OAuthCredentialList{}
	if err := r.Client.List(ctx, all, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for i := range all.Items {
		credential := &all.Items[i]
		if status := credential.Status.Grant; status != nil && status.BootstrapHash != "" {
			r.writes.seen(credential) // Should it be gone before it is looked at, its claim goes with it.
			r.bootstraps.claim(status.BootstrapHash, holder{credential.UID, keyOf(credential)})
		}
	}
	r.bootstraps.mu.Lock()
	defer r.bootstraps.mu.Unlock()
	r.bootstraps.noted = true
	return nil
}

// noteUsed notes all that a credential has begun with.
func (r *Reconciler) noteUsed(credential *v1alpha1.OAuthCredential, record *grant.Record) {
	if record == nil {
		return
	}
	for _, hash := range record.Used {
		r.bootstraps.claim(hash, holder{credential.UID, keyOf(credential)})
	}
}

// claimBootstrap tells whether a credential may begin with a refresh token.
func (r *Reconciler) claimBootstrap(credential *v1alpha1.OAuthCredential, value redact.String) *issuance.Failure {
	first, ok := r.bootstraps.claim(grant.Hash(r.Cluster, value), holder{credential.UID, keyOf(credential)})
	switch {
	case ok:
		return nil
	case first.name.Namespace == credential.Namespace:
		return obstacle(v1alpha1.ReasonRefreshTokenConflict, "the OAuthCredential %q uses the same refresh token, which is spent by its use: "+
			"use its Secret, or get a refresh token of its own for this credential", first.name.Name)
	default:
		return obstacle(v1alpha1.ReasonRefreshTokenConflict, "a credential of another namespace uses the same refresh token, which is spent "+
			"by its use: get a refresh token of its own for this credential")
	}
}
