package oauthcredential

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// facts is all that is known of a credential at one instant.
type facts struct {
	credential *v1alpha1.OAuthCredential
	now        time.Time
	// plan joins the credential with its provider, nil where that is not possible.
	// inputsHash is a hash of what shapes the token by it, and terms one of all that a
	// request is made from.
	plan              *resolve.Plan
	inputsHash, terms string

	// secret are the metadata of the target, nil where there is none, and owner
	// tells whose it is. adopted says that a stranger made it, and that it was taken
	// over or may be.
	secret  *metav1.ObjectMeta
	owner   secretstore.Owner
	adopted bool
	// obstacle is why no token may be asked for or written, whatever the provider
	// says; nil where it may.
	obstacle *failure
	// previous is the Secret under the name that the spec had before, if it is there.
	previous *metav1.ObjectMeta
	// retargeted says that the token was last published under another name.
	retargeted bool

	// held says that the target holds a token, life how long, and heldInputs what
	// it was asked for with.
	held       bool
	life       lifetime.Token
	heldInputs string
	// token is that token where the Secret had to be looked at; drifted says that
	// something about the Secret is not as it was written.
	token   *secretstore.Token
	drifted bool

	// sources are the versions of the referenced objects now.
	sources       []v1alpha1.SourceVersion
	clientChanged bool
	sourceChanged bool

	requested bool
	exchange  exchangeState
	limits    limits
	// providerBroken says that requests to the provider wait for a probe to succeed.
	providerBroken bool
}

// gather reads what a decision needs. Only a cache or an API server that cannot
// answer is an error; everything else is a fact.
func (r *Reconciler) gather(ctx context.Context, credential *v1alpha1.OAuthCredential) (*facts, error) {
	f := &facts{
		credential: credential,
		now:        r.Clock.Now(),
	}
	if replaced, ok := r.writes.seen(credential); ok {
		r.exchanges.forget(replaced, keyOf(credential))
		r.wakeAll(r.claims.release(replaced))
	}
	if err := r.gatherPlan(ctx, f); err != nil {
		return nil, err
	}
	if err := r.gatherTarget(ctx, f); err != nil {
		return nil, err
	}
	if err := r.gatherConflict(ctx, f); err != nil {
		return nil, err
	}
	if err := r.gatherToken(ctx, f); err != nil {
		return nil, err
	}
	if f.plan != nil {
		f.inputsHash, f.terms = f.plan.InputsHash(), f.plan.Terms()
	}
	if err := r.gatherSources(ctx, f); err != nil {
		return nil, err
	}
	f.requested = refreshRequested(f)
	r.gatherExchange(f)
	return f, nil
}

// gatherExchange finds out what is under way, and gives up what is no longer wanted.
func (r *Reconciler) gatherExchange(f *facts) {
	uid := f.credential.UID
	f.exchange = r.exchanges.state(uid)
	if f.exchange.inFlight() && f.unwanted() {
		r.exchanges.abandon(uid)
		f.exchange = r.exchanges.state(uid)
	}
	// Without a plan it cannot be told, and a token may be the only one that is good.
	if o := f.exchange.outcome; o != nil && f.plan != nil && o.inputsHash != f.inputsHash {
		// It answers a question that nobody asks any more.
		r.exchanges.settle(uid, o)
		f.exchange.outcome = nil
	}
	f.limits = r.exchanges.limits(keyOf(f.credential), f.held, f.life)
	f.providerBroken = f.plan != nil && r.exchanges.closed(f.plan.Line())
}

// unwanted says that the request of the credential was made of a spec that has
// changed. One that merely waits can be made anew at no cost; one that is under way
// is cut off only where its answer, or the waiting for it, would be of no use.
func (f *facts) unwanted() bool {
	made := f.exchange.request.exchange
	switch {
	case !f.exchange.running:
		return f.blocked() || made.credential.Generation != f.credential.Generation || made.terms != f.terms
	case f.plan == nil:
		return false // The provider may be back before the answer is.
	}
	now, then := f.plan.Endpoint, made.plan.Endpoint
	return made.inputsHash != f.inputsHash ||
		!equality.Semantic.DeepEqual(now.TLS, then.TLS) || !equality.Semantic.DeepEqual(now.Timeout, then.Timeout)
}

// gatherTarget finds the target's metadata, in the cache unless that is older than
// what was written last.
func (r *Reconciler) gatherTarget(ctx context.Context, f *facts) error {
	key := types.NamespacedName{Namespace: f.credential.Namespace, Name: secretstore.TargetName(f.credential)}
	secret, err := objectMetadata(ctx, r.Client, v1alpha1.KindSecret, key)
	if err != nil {
		return err
	}
	if r.writes.isStaleSecret(f.credential, secret) {
		if secret, err = objectMetadata(ctx, r.APIReader, v1alpha1.KindSecret, key); err != nil {
			return err
		}
		if secret == nil {
			r.writes.wroteSecret(f.credential, "")
		}
	}
	f.secret = secret
	if before := f.credential.Status.SecretName; before != "" && before != key.Name {
		f.retargeted = true
		f.previous, err = objectMetadata(ctx, r.Client, v1alpha1.KindSecret, types.NamespacedName{Namespace: key.Namespace, Name: before})
	}
	return err
}

// gatherToken finds the token in the target. Its annotations are believed while
// nobody but us has written to the Secret; else its data are looked at.
func (r *Reconciler) gatherToken(ctx context.Context, f *facts) error {
	if f.owner != secretstore.Us {
		return nil
	}
	// The mark on the Secret can be lost, and the status can be lost.
	f.adopted = secretstore.IsAdopted(f.secret) ||
		(!f.retargeted && f.credential.Status.SecretOrigin == v1alpha1.SecretAdopted && !metav1.IsControlledBy(f.secret, f.credential))
	if !r.mustLook(f) {
		described, ok := secretstore.Describe(f.secret)
		f.held, f.life, f.heldInputs = ok, described.Life, described.InputsHash
		return nil
	}
	secret, err := r.store.Read(ctx, keyOf(f.secret))
	if err != nil {
		return err
	}
	if secret == nil {
		f.secret, f.owner = nil, secretstore.Nobody
		return nil
	}
	f.secret = &secret.ObjectMeta
	status := f.credential.Status
	known := lifetime.Token{IssuedAt: instantOf(status.IssuedAt), ExpiresAt: instantOf(status.ExpiresAt)}
	token, drifted, ok := secretstore.Inspect(secret, f.credential, known, f.adopted)
	if !ok {
		return nil
	}
	f.held, f.drifted, f.token = true, drifted, &token
	f.life = lifetime.Token{IssuedAt: token.IssuedAt, ExpiresAt: token.ExpiresAt}
	f.heldInputs = token.InputsHash
	return nil
}

// mustLook tells whether the Secret, or what it should be, has changed since it
// was last known to be as it should.
func (r *Reconciler) mustLook(f *facts) bool {
	if f.respecified() {
		return true
	}
	status := f.credential.Status
	version := f.secret.ResourceVersion
	return version != status.SecretResourceVersion && version != r.writes.get(f.credential).secret
}

// gatherSources compares the versions of the referenced objects with those that
// the last token request was made from. Without such a record nothing has changed.
func (r *Reconciler) gatherSources(ctx context.Context, f *facts) error {
	for _, source := range f.sourcesNow() {
		recorded, known := recordedVersion(f.credential.Status.Sources, source)
		version, err := r.sourceVersion(ctx, source, recorded)
		if err != nil {
			return err
		}
		f.sources = append(f.sources, v1alpha1.SourceVersion{Kind: source.Kind, Name: source.RecordedName, ResourceVersion: version})
		if known && (older(recorded, version) || (recorded == "") != (version == "")) {
			f.sourceChanged = true
			f.clientChanged = f.clientChanged || source.Client
		}
	}
	return nil
}

// sourcesNow are the objects that a token request would be made from.
func (f *facts) sourcesNow() []resolve.Source {
	if f.plan == nil {
		return resolve.CredentialSources(f.credential)
	}
	return f.plan.Sources()
}

// sourceVersion is the version of a referenced object, empty where it does not
// exist. That an object is gone is not believed of the cache, which may not have
// heard of it yet.
func (r *Reconciler) sourceVersion(ctx context.Context, source resolve.Source, recorded string) (string, error) {
	key := types.NamespacedName{Namespace: source.Namespace, Name: source.Name}
	metadata, err := objectMetadata(ctx, r.Client, source.Kind, key)
	if err == nil && metadata == nil && recorded != "" {
		metadata, err = objectMetadata(ctx, r.APIReader, source.Kind, key)
	}
	if err != nil || metadata == nil {
		return "", err
	}
	return metadata.ResourceVersion, nil
}

func recordedVersion(versions []v1alpha1.SourceVersion, source resolve.Source) (string, bool) {
	for _, version := range versions {
		if version.Kind == source.Kind && version.Name == source.RecordedName {
			return version.ResourceVersion, true
		}
	}
	return "", false
}

// lifetimeFacts is what the decision is made from.
func (f *facts) lifetimeFacts() lifetime.Facts {
	status := f.credential.Status
	facts := lifetime.Facts{
		Blocked:       f.blocked(),
		InFlight:      f.exchange.inFlight(),
		Pending:       f.pending(),
		Held:          f.held,
		Drifted:       f.drifted,
		RepairAt:      f.limits.repairAt,
		Policy:        f.policy(),
		Seed:          string(f.credential.UID),
		SpecChanged:   f.held && f.plan != nil && f.heldInputs != f.inputsHash,
		ClientChanged: f.clientChanged,
		Requested:     f.requested,
		CauseChanged:  f.causeChanged(),
		LastRequest:   f.exchange.startedAt.Add(f.exchange.apiDelay()),
		AllowedAt:     f.limits.requestAt,
	}
	if f.held {
		facts.Token = f.life
	}
	// A token at hand has left the last failure behind, unless that was to write it.
	if last := status.LastFailure; last != nil && (!facts.Pending || f.exchange.outcome.rejected) {
		facts.Failed = true
		facts.RetryAt = instantOf(status.RefreshAt)
		if facts.LastRequest.IsZero() {
			facts.LastRequest = last.Time.Time
		}
		switch {
		case facts.Pending:
			// Only another spec, or time, makes the API server take what it has refused.
			facts.Requested = false
			facts.CauseChanged = f.respecified()
		case last.Reason == v1alpha1.ReasonRateLimited:
			// Nobody but a new client or a new spec may cut a Retry-After short.
			facts.Requested = false
			facts.CauseChanged = f.clientChanged || f.respecified() || f.reprovided()
		case last.Reason == v1alpha1.ReasonProviderUnreachable && f.providerBroken:
			// The probes of its line set the pace now, for all who wait there.
			facts.RetryAt = f.now
		}
	}
	return facts
}

// blocked says that no token is asked for: the credential is suspended, or there is
// an obstacle.
func (f *facts) blocked() bool {
	return f.credential.Spec.Suspend || f.obstacle != nil
}

// refreshAt is when a token of the credential with this life is to be replaced.
func (f *facts) refreshAt(life lifetime.Token) time.Time {
	return lifetime.RefreshAt(life, f.policy(), string(f.credential.UID))
}

// pending says that a token is at hand that still lives.
func (f *facts) pending() bool {
	o := f.exchange.outcome
	return o != nil && o.token != nil && (o.token.ExpiresAt.IsZero() || f.now.Before(o.token.ExpiresAt))
}

// causeChanged says that something the last failure may come from has changed.
func (f *facts) causeChanged() bool {
	return f.respecified() || f.reprovided() || f.sourceChanged || f.exchange.recovered
}

// reprovided says that the provider has changed since the last request, as far as it
// is known what that was made from.
func (f *facts) reprovided() bool {
	return f.exchange.terms != "" && f.plan != nil && f.exchange.terms != f.terms
}

// current says that the target holds a token for the spec as it is. A provider that has
// changed, or cannot be seen now, does not make the token a wrong one: it is good for
// what the credential asks for until there is a better one.
func (f *facts) current() bool {
	return f.held && (f.heldInputs == f.inputsHash ||
		!f.respecified() && meta.IsStatusConditionTrue(f.credential.Status.Conditions, v1alpha1.ConditionReady))
}

// respecified says that the status does not speak of the spec as it is now.
func (f *facts) respecified() bool {
	return f.credential.Generation != f.credential.Status.ObservedGeneration
}

// policy is when a token is to be replaced, by the credential and its provider.
func (f *facts) policy() lifetime.Policy {
	var policy lifetime.Policy
	refresh := f.credential.Spec.Refresh
	if refresh.AfterPercent != nil {
		policy.AfterPercent = int(*refresh.AfterPercent)
	}
	if refresh.Before != nil {
		policy.Before = refresh.Before.Duration
	}
	if f.plan != nil {
		policy.Reissue = lifetime.Reissue(f.plan.Endpoint.TokenReissue)
		if f.plan.Endpoint.Timeout != nil {
			policy.Timeout = f.plan.Endpoint.Timeout.Duration
		}
	}
	return policy
}

// objectMetadata reads the metadata of a Secret or ConfigMap; nil where there is none.
func objectMetadata(ctx context.Context, reader client.Reader, kind v1alpha1.ReferenceKind, key types.NamespacedName) (*metav1.ObjectMeta, error) {
	object := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: string(kind)}}
	if err := reader.Get(ctx, key, object); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return &object.ObjectMeta, nil
}

func secretMetadataList() *metav1.PartialObjectMetadataList {
	return &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "SecretList"}}
}

func instantOf(t *metav1.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.Time
}
