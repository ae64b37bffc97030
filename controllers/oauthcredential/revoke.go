package oauthcredential

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/gate"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// Revoker asks revocation endpoints to end tokens (RFC 7009). Every error is an
// *oauth.Error.
type Revoker interface {
	Revoke(ctx context.Context, request oauth.Request, token redact.String, hint string) error
}

// revokeWithin is how long a credential that is being deleted waits for its tokens to be
// revoked.
const revokeWithin = 30 * time.Second

// revocations are those under way, by credential. They are safe for concurrent use.
type revocations struct {
	mu    sync.Mutex
	byUID map[types.UID]*revocation
}

type revocation struct {
	ticket *gate.Ticket
	cancel context.CancelFunc
	// done says that it has ended, and failed why it did so without success.
	done   bool
	failed string
}

// holdForRevocation puts a finalizer on a credential whose tokens are to be revoked, or
// takes it away, and tells whether it did.
func (r *Reconciler) holdForRevocation(ctx context.Context, credential *v1alpha1.OAuthCredential) (changed bool, err error) {
	wanted := credential.Spec.RevocationPolicy == v1alpha1.RevocationOnDelete
	if controllerutil.ContainsFinalizer(credential, v1alpha1.FinalizerRevocation) == wanted {
		return false, nil
	}
	return true, client.IgnoreNotFound(r.setFinalizer(ctx, credential, wanted))
}

// setFinalizer puts the finalizer on, or takes it away, whoever has put it there.
func (r *Reconciler) setFinalizer(ctx context.Context, credential *v1alpha1.OAuthCredential, wanted bool) error {
	after := credential.DeepCopy()
	change := controllerutil.RemoveFinalizer
	if wanted {
		change = controllerutil.AddFinalizer
	}
	change(after, v1alpha1.FinalizerRevocation)
	patch := client.MergeFromWithOptions(credential, client.MergeFromWithOptimisticLock{})
	return r.Client.Patch(ctx, after, patch, secretstore.FieldManager)
}

// revoke revokes the tokens of a credential that is being deleted, as well as that can be
// done in a short time, and lets it go.
func (r *Reconciler) revoke(ctx context.Context, credential *v1alpha1.OAuthCredential) (ctrl.Result, error) {
	if !controllerutil.ContainsFinalizer(credential, v1alpha1.FinalizerRevocation) {
		return ctrl.Result{}, nil
	}
	if credential.Spec.RevocationPolicy != v1alpha1.RevocationOnDelete {
		return ctrl.Result{}, client.IgnoreNotFound(r.setFinalizer(ctx, credential, false))
	}
	ended, failed, wait := r.revocation(ctx, credential)
	if !ended {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	if err := r.setFinalizer(ctx, credential, false); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err) // It was told when it went.
	}
	f := &facts{credential: credential}
	if failed != "" {
		r.event(f, corev1.EventTypeWarning, v1alpha1.ReasonRevocationFailed,
			"Not all tokens were revoked, and what was not stays good until it expires: "+failed)
	} else {
		r.event(f, corev1.EventTypeNormal, v1alpha1.ReasonTokenRevoked, "The tokens were revoked at the provider")
	}
	return ctrl.Result{}, nil
}

// revocation is what has become of the revocation of a credential's tokens, which it
// begins; or how long it may take yet.
func (r *Reconciler) revocation(ctx context.Context, credential *v1alpha1.OAuthCredential) (ended bool, failed string, wait time.Duration) {
	r.revocations.mu.Lock()
	defer r.revocations.mu.Unlock()
	now, deadline := r.Clock.Now(), credential.DeletionTimestamp.Add(revokeWithin)
	under := r.revocations.byUID[credential.UID]
	switch {
	case under == nil && now.Before(deadline):
		under = r.beginRevocation(ctx, credential)
	case under == nil:
		under = &revocation{done: true, failed: "the operator was not there when the credential was deleted"}
	case !under.done && !now.Before(deadline):
		r.Gate.Withdraw(under.ticket)
		under.cancel()
		under.done, under.failed = true, fmt.Sprintf("the provider did not answer within %s", revokeWithin)
	}
	return under.done, under.failed, max(deadline.Sub(now), time.Millisecond)
}

// forget drops what is known of a credential that is gone.
func (r *revocations) forget(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byUID, uid)
}

// beginRevocation begins to revoke. The caller holds the lock.
//
//nolint:contextcheck // What it begins outlives the reconcile.
func (r *Reconciler) beginRevocation(ctx context.Context, credential *v1alpha1.OAuthCredential) *revocation {
	begun := &revocation{cancel: func() {}}
	if r.revocations.byUID == nil {
		r.revocations.byUID = map[types.UID]*revocation{}
	}
	r.revocations.byUID[credential.UID] = begun
	plan, obstacle, err := r.plan(ctx, credential)
	switch {
	case err != nil:
		begun.done, begun.failed = true, "the provider could not be read"
		return begun
	case obstacle != nil:
		begun.done, begun.failed = true, obstacle.message
		return begun
	}
	running, cancel := context.WithTimeout(r.background, revokeWithin)
	begun.cancel = cancel
	turn := turnOf(credential, plan)
	turn.Run = func(*gate.Turn) gate.Result {
		defer cancel()
		failed := r.revokeTokens(running, credential, plan)
		r.revocations.mu.Lock()
		begun.done, begun.failed = true, failed
		r.revocations.mu.Unlock()
		r.wake(keyOf(credential), ordinary)
		return gate.Result{Outcome: gate.Cut}
	}
	begun.ticket = r.Gate.Submit(turn)
	return begun
}

// revokeTokens revokes what a credential holds, the refresh token first: most providers
// end the access tokens with it. It answers why that failed, empty where it did not.
func (r *Reconciler) revokeTokens(ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan) (failed string) {
	refreshToken, accessToken, err := r.tokensOf(ctx, credential, plan)
	if err != nil {
		return "the tokens could not be read"
	}
	if refreshToken.IsEmpty() && accessToken.IsEmpty() {
		return "no token was found in the Secrets of the credential"
	}
	request, ok, err := r.Resolver.Revocation(ctx, plan)
	if err != nil {
		if told, _ := sourceFailure(err); told != nil {
			return told.message
		}
		return "the Secrets of the client could not be read"
	}
	if !ok {
		return "the provider has no revocation endpoint: set revocationURL in its spec, or its issuer"
	}
	for _, token := range []struct {
		value redact.String
		hint  string
	}{{refreshToken, "refresh_token"}, {accessToken, "access_token"}} {
		if token.value.IsEmpty() {
			continue
		}
		if err := r.Revoker.Revoke(ctx, request, token.value, token.hint); err != nil {
			failed = tokenFailure(err).message
		}
	}
	return failed
}

// tokensOf reads the tokens of a credential: from its grant where one is kept, else from
// its target where that holds the token as it is.
func (r *Reconciler) tokensOf(ctx context.Context, credential *v1alpha1.OAuthCredential, plan *resolve.Plan) (refreshToken, accessToken redact.String, err error) {
	if plan.KeepsGrant() {
		secret, err := r.store.Read(ctx, grantKey(credential))
		if err != nil || secret == nil || !secretstore.HoldsGrant(&secret.ObjectMeta, credential.Name) {
			return refreshToken, accessToken, err
		}
		record, err := grant.Decode(secret.Data)
		if err != nil || record.Chain == nil || record.Credential != string(credential.UID) {
			return refreshToken, accessToken, nil //nolint:nilerr // What cannot be read cannot be revoked.
		}
		if token := record.Chain.Token; token != nil {
			accessToken = token.Answer.AccessToken
		}
		return record.Chain.RefreshToken, accessToken, nil
	}
	key := types.NamespacedName{Namespace: credential.Namespace, Name: secretstore.TargetName(credential)}
	secret, err := r.store.Read(ctx, key)
	if err != nil || secret == nil {
		return refreshToken, accessToken, err
	}
	if owner, _ := secretstore.OwnerOf(&secret.ObjectMeta, credential); owner == secretstore.Us && len(credential.Spec.Secret.Data) == 0 {
		accessToken = redact.New(string(secret.Data[v1alpha1.KeyAccessToken]))
	}
	return refreshToken, accessToken, nil
}
