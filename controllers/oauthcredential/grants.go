package oauthcredential

import (
	"context"
	"errors"
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// grants writes the Secrets of grants.
type grants struct {
	store *secretstore.Store
	// credentials tells whether a credential still is, never from a cache.
	credentials client.Reader
	unanswered  *unanswered
	// refused hears, once for each change, that the API server refuses to keep it.
	refused func(*v1alpha1.OAuthCredential, *issuance.Failure)
}

const (
	// writeTimeout is how long one write to the API server may take.
	writeTimeout = 15 * time.Second
	// beginTimeout is how long it may take to write an attempt down: others see it
	// sooner than this process hears that it is written.
	beginTimeout = 5 * time.Second
	// refusedTries are how often a process that is about to end repeats a write that the
	// API server refuses: a quota or an admission rule must not keep it alive.
	refusedTries = 12
	// closeTries are how often it is tried to write down that nothing was spent.
	closeTries = 5
)

// write writes a grant once.
func (g grants) write(
	ctx context.Context, credential types.NamespacedName, record *grant.Record, version string, within time.Duration,
) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return g.store.WriteGrant(ctx, credential, record, version)
}

// untilWritten are the delays between the tries to keep what cannot be had again. They
// never end.
func untilWritten() wait.DelayFunc {
	return wait.Backoff{Duration: 100 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: math.MaxInt, Cap: 5 * time.Second}.DelayFunc()
}

// amendment is a change of a grant on its way into the Secret.
type amendment struct {
	grants

	credential *v1alpha1.OAuthCredential
	change     func(*grant.Record) bool
	// record and version are the grant as it is there, as far as that is known, and
	// written is what was there when the request was sent.
	record, written *grant.Record
	version         string
	// tries bounds the tries, 0 where it must be tried until it is written; refusals counts
	// those that were refused since the process is about to end.
	tries, refusals int
	// bare says that the refresh token alone is to be kept: it may be let through.
	bare bool
	// dropped says that nobody wants the change any more.
	dropped bool
}

// amend changes a grant until that is written, whatever the API server says meanwhile:
// what the change keeps cannot be had again. It answers false where nobody wants the
// change any more. record and version are the grant as it was written last. A change
// that may be left undone has so many tries, any other 0.
func (g grants) amend(
	ctx context.Context, credential *v1alpha1.OAuthCredential, record *grant.Record, version string, change func(*grant.Record) bool, tries int,
) (*grant.Record, string, bool) {
	a := &amendment{grants: g, credential: credential, change: change, record: record, written: record, version: version, tries: tries}
	err := untilWritten().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		for {
			done, again := a.try(ctx)
			if !again {
				a.tries--
				return done || a.tries == 0, nil
			}
		}
	})
	return a.record, a.version, err == nil && !a.dropped
}

// try tries once. It is done where the change was written, or nobody wants it; again
// says that somebody was faster, and that there is no reason to wait.
func (a *amendment) try(ctx context.Context) (done, again bool) {
	after := a.record.Clone()
	if !a.change(after) {
		a.dropped = true
		return true, false
	}
	if a.bare && after.Chain.LastToken() != a.record.Chain.LastToken() {
		after.Chain.Token = nil
	}
	version, err := a.write(ctx, keyOf(a.credential), after, a.version, writeTimeout)
	var refused *secretstore.RejectedError
	switch {
	case err == nil:
		a.record, a.version = after, version
		return true, false
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		a.dropped = true
		return true, false
	case errors.As(err, &refused):
		if a.tell(refused); a.giveUp(refused) {
			return true, false
		}
	}
	if errors.Is(err, secretstore.ErrChanged) || a.version == "" {
		return a.dropped, a.reread(ctx)
	}
	return false, false
}

// giveUp tells whether a process that is about to end has been refused for long enough.
func (a *amendment) giveUp(refused error) bool {
	if !a.unanswered.isStopping() {
		return false
	}
	if a.refusals++; a.refusals < refusedTries {
		return false
	}
	a.dropped = true
	ctrl.Log.Error(refused, "A refresh token is lost: the API server refuses to store it, and the process has to end",
		"namespace", a.credential.Namespace, "name", a.credential.Name)
	return true
}

// tell tells, once, that the API server refuses what nobody else knows.
func (a *amendment) tell(refused *secretstore.RejectedError) {
	if a.bare {
		return
	}
	a.bare = true
	ctrl.Log.Error(refused, "The API server refuses to store a grant, which this process alone knows now: it tries on",
		"namespace", a.credential.Namespace, "name", a.credential.Name)
	told, _ := issuance.WriteFailure(refused, "check the quota and the admission rules of the namespace. It is to hold the refresh token that has "+
		"just come, which the operator alone knows until then: do not restart it")
	a.refused(a.credential, told)
}

// reread reads the grant as it is there by now, and tells whether that is known. Where
// its Secret is gone, or damaged, what was written last takes its place, as long as the
// credential lives.
func (a *amendment) reread(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	secret, err := a.store.Read(ctx, grantKey(a.credential))
	switch {
	case err != nil:
		return false
	case secret == nil:
		return a.recreate(ctx)
	case !holdsGrant(secret, a.credential):
		a.dropped = true
		return false
	}
	if a.record, err = grant.Decode(secret.Data); err != nil {
		a.record = a.written
	}
	a.version = secret.ResourceVersion
	return true
}

// recreate has the grant written anew, if its credential lives.
func (a *amendment) recreate(ctx context.Context) bool {
	credential := &v1alpha1.OAuthCredential{}
	err := a.credentials.Get(ctx, keyOf(a.credential), credential)
	switch {
	case apierrors.IsNotFound(err), err == nil && (credential.UID != a.credential.UID || !credential.DeletionTimestamp.IsZero()):
		a.dropped = true
		return false
	case err != nil:
		return false
	}
	again := a.version != "" // Else it could not be made for another reason.
	a.record, a.version = a.written, ""
	return again
}

// holdsGrant tells whether a Secret holds the grant of a credential, or was made for it.
// Labels can be lost.
func holdsGrant(secret *corev1.Secret, credential *v1alpha1.OAuthCredential) bool {
	if secretstore.HoldsGrant(&secret.ObjectMeta, credential.Name) {
		return true
	}
	record, err := grant.Decode(secret.Data)
	return err == nil && record.Credential == string(credential.UID)
}

// deleteGrant deletes the grant of a credential that is gone, and no other's.
func (r *Reconciler) deleteGrant(ctx context.Context, credential types.NamespacedName, uid types.UID) error {
	key := types.NamespacedName{Namespace: credential.Namespace, Name: secretstore.GrantName(credential.Name)}
	if known, err := objectMetadata(ctx, r.Client, v1alpha1.KindSecret, key); err != nil || known == nil {
		return err
	}
	secret, err := r.store.Read(ctx, key)
	if err != nil || secret == nil {
		return err
	}
	record, err := grant.Decode(secret.Data)
	if err != nil || record.Credential != string(uid) && (record.Credential != "" || record.Login.Credential != string(uid)) {
		return nil //nolint:nilerr // What cannot be read may be another's.
	}
	return r.store.Delete(ctx, &secret.ObjectMeta)
}
