package oauthcredential

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// gather reads what a decision needs. Only a cache or an API server that cannot
// answer is an error; everything else is a fact.
func (r *Reconciler) gather(ctx context.Context, credential *v1alpha1.OAuthCredential) (*facts, error) {
	f := &facts{
		credential: credential,
		now:        r.Clock.Now(),
	}
	if replaced, ok := r.writes.seen(credential); ok {
		r.forget(replaced, keyOf(credential))
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
		f.inputsHash = f.plan.InputsHash()
		f.terms = f.plan.Terms(f.inputsHash)
	}
	if err := r.gatherSources(ctx, f); err != nil {
		return nil, err
	}
	if err := r.gatherGrant(ctx, f); err != nil {
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
	if o := f.exchange.outcome; o != nil && f.plan != nil && o.InputsHash != f.inputsHash {
		// It answers a question that nobody asks any more.
		r.exchanges.settle(uid, o)
		f.exchange.outcome = nil
	}
	f.limits = r.exchanges.limits(keyOf(f.credential), f.held, f.life)
	f.providerBroken = f.plan != nil && r.exchanges.closed(f.plan.Line(), f.credential.Namespace)
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
