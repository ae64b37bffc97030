package oauthcredential

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/grant"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// grants writes the Secrets of grants.
type grants struct {
	store *secretstore.Store
	// credentials tells whether a credential still is, never from a cache.
	credentials client.Reader
}

// writeTimeout is how long one write to the API server may take.
const writeTimeout = 15 * time.Second

// write writes a grant once.
func (g grants) write(ctx context.Context, credential types.NamespacedName, record *grant.Record, version string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
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
	// dropped says that nobody wants the change any more.
	dropped bool
}

// amend changes a grant until that is written, whatever the API server says meanwhile:
// what the change keeps cannot be had again. It answers false where nobody wants the
// change any more. record and version are the grant as it was written last.
func (g grants) amend(
	ctx context.Context, credential *v1alpha1.OAuthCredential, record *grant.Record, version string, change func(*grant.Record) bool,
) (*grant.Record, string, bool) {
	a := &amendment{grants: g, credential: credential, change: change, record: record, written: record, version: version}
	err := untilWritten().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		for {
			if done, again := a.try(ctx); !again {
				return done, nil
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
	version, err := a.write(ctx, keyOf(a.credential), after, a.version)
	var refused *secretstore.RejectedError
	switch {
	case err == nil:
		a.record, a.version = after, version
		return true, false
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		a.dropped = true
		return true, false
	case errors.As(err, &refused) && after.Chain.LastToken() != nil:
		a.change = withoutToken(a.change) // The refresh token alone may be let through.
	}
	if errors.Is(err, secretstore.ErrChanged) || a.version == "" {
		return a.dropped, a.reread(ctx)
	}
	return false, false
}

// withoutToken is a change that keeps no answer.
func withoutToken(change func(*grant.Record) bool) func(*grant.Record) bool {
	return func(r *grant.Record) bool {
		wanted := change(r)
		if r.Chain != nil {
			r.Chain.Token = nil
		}
		return wanted
	}
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
	case !secretstore.HoldsGrant(&secret.ObjectMeta, a.credential.Name):
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

// unanswered counts the requests whose answers are not kept yet. The process must
// outlive them. It is safe for concurrent use.
type unanswered struct {
	mu       sync.Mutex
	count    int
	stopping bool
	none     chan struct{}
}

// add counts one more, unless the process is about to stop.
func (u *unanswered) add() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stopping {
		return false
	}
	u.count++
	return true
}

// done says that one is kept.
func (u *unanswered) done() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.count--
	if u.stopping && u.count == 0 {
		close(u.none)
	}
}

// stop lets none begin any more, and answers a channel that is closed when there is none
// left.
func (u *unanswered) stop() <-chan struct{} {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.stopping {
		u.stopping, u.none = true, make(chan struct{})
		if u.count == 0 {
			close(u.none)
		}
	}
	return u.none
}
