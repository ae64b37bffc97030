package oauthcredential

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// gatherConflict finds out whether the credential may write its target. A Secret
// stays with the credential that owns it; among those that want a new one the
// older wins, then the name.
func (r *Reconciler) gatherConflict(ctx context.Context, f *facts) error {
	target := secretstore.TargetName(f.credential)
	for _, source := range f.sourcesNow() {
		if source.Kind == v1alpha1.KindSecret && source.Name == target && source.Namespace == f.credential.Namespace {
			f.obstacle = conflict("the Secret %q is a source of this credential itself, such as its client's Secret: "+
				"set spec.secret.name to another name", target)
			return nil
		}
	}
	if resolve.KeepsGrant(f.credential) && target == secretstore.GrantName(f.credential.Name) {
		f.obstacle = conflict("the Secret %q is where the grant of this credential is kept: set spec.secret.name to another name", target)
		return nil
	}
	var name string
	f.owner, name = secretstore.OwnerOf(f.secret, f.credential)
	if err := r.gatherUnmarked(ctx, f, target); err != nil {
		return err
	}
	switch f.owner {
	case secretstore.Nobody:
		return r.gatherOlderClaim(ctx, f, target)
	case secretstore.AnotherCredential:
		return r.gatherOtherOwner(ctx, f, target, name)
	case secretstore.Stranger:
		return r.gatherAdoption(ctx, f, target)
	case secretstore.Us:
	}
	return nil
}

// gatherUnmarked recognizes the Secret that the credential wrote although somebody
// has taken away what marks it as the credential's.
func (r *Reconciler) gatherUnmarked(ctx context.Context, f *facts, target string) error {
	if status := f.credential.Status; f.owner != secretstore.Stranger || status.SecretName != target || status.IssuedAt == nil {
		return nil
	}
	secret, err := r.store.Read(ctx, keyOf(f.secret))
	if err == nil && secret != nil && secretstore.WroteToken(secret) {
		f.secret, f.owner = &secret.ObjectMeta, secretstore.Us
	}
	return err
}

// gatherOlderClaim finds an older credential that wants the same Secret.
func (r *Reconciler) gatherOlderClaim(ctx context.Context, f *facts, target string) error {
	claims, err := r.list(ctx, f.credential.Namespace, indexTarget, target)
	if err != nil {
		return err
	}
	for i := range claims {
		if comesBefore(&claims[i], f.credential) {
			f.obstacle = conflict("the Secret %q is claimed by the older OAuthCredential %q: set spec.secret.name to another name",
				target, claims[i].Name)
			return nil
		}
	}
	return nil
}

// comesBefore orders the claims on a Secret that nobody owns yet.
func comesBefore(other, credential *v1alpha1.OAuthCredential) bool {
	if other.UID == credential.UID || !other.DeletionTimestamp.IsZero() {
		return false
	}
	if other.CreationTimestamp.Equal(&credential.CreationTimestamp) {
		return other.Name < credential.Name
	}
	return other.CreationTimestamp.Before(&credential.CreationTimestamp)
}

// gatherOtherOwner handles a Secret that bears the label of another credential: it is
// taken while that one lives and wants it, else it is a stranger's.
func (r *Reconciler) gatherOtherOwner(ctx context.Context, f *facts, target, name string) error {
	claims, err := r.list(ctx, f.credential.Namespace, indexTarget, target)
	if err != nil {
		return err
	}
	for i := range claims {
		if claims[i].Name == name {
			f.obstacle = conflict("the Secret %q belongs to the OAuthCredential %q: set spec.secret.name to another name", target, name)
			return nil
		}
	}
	return r.gatherAdoption(ctx, f, target)
}

// gatherAdoption handles a Secret that tokensync did not make, or that a deleted
// credential left behind: it is taken over only where the spec says so and it
// bears no power or purpose of its own.
func (r *Reconciler) gatherAdoption(ctx context.Context, f *facts, target string) error {
	if !f.credential.Spec.Secret.AdoptExisting {
		f.obstacle = conflict("the Secret %q exists and is not this credential's: delete it, set spec.secret.name to another name, "+
			"or set spec.secret.adoptExisting to take it over", target)
		return nil
	}
	if reader, err := r.readerOf(ctx, f.credential.Namespace, target); err != nil {
		return err
	} else if reader != "" {
		f.obstacle = conflict("the Secret %q is a source of the %s and cannot be taken over: set spec.secret.name to another name",
			target, reader)
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
	if refusal, ok := secretstore.Adoptable(secret); !ok {
		f.obstacle = conflict("the Secret %q %s and cannot be taken over: set spec.secret.name to another name", target, refusal)
		return nil
	}
	if want := secretstore.TargetType(f.credential); secret.Type != want {
		f.obstacle = conflict("the Secret %q is of type %q and the credential wants %q: set spec.secret.type to the type it has, "+
			"or spec.secret.name to another name", target, secret.Type, want)
		return nil
	}
	f.secret, f.adopted = &secret.ObjectMeta, true
	return nil
}

// readerOf names a credential or a provider that a Secret is a source of, if there is
// one.
func (r *Reconciler) readerOf(ctx context.Context, namespace, secret string) (string, error) {
	credentials, err := r.list(ctx, namespace, indexSecret, secret)
	if err != nil {
		return "", err
	}
	providers, clusterProviders, err := r.providersReading(ctx, indexSecret, namespace, secret)
	switch {
	case len(credentials) > 0:
		return fmt.Sprintf("OAuthCredential %q", credentials[0].Name), err
	case len(providers) > 0:
		return fmt.Sprintf("OAuthProvider %q", providers[0].Name), err
	case len(clusterProviders) > 0:
		return fmt.Sprintf("ClusterOAuthProvider %q", clusterProviders[0].Name), err
	}
	return "", err
}

func conflict(format string, arguments ...any) *issuance.Failure {
	return obstacle(v1alpha1.ReasonSecretConflict, format, arguments...)
}

// list answers the credentials of a namespace that an index finds.
func (r *Reconciler) list(ctx context.Context, namespace, index, value string) ([]v1alpha1.OAuthCredential, error) {
	found := &v1alpha1.OAuthCredentialList{}
	err := r.Client.List(ctx, found, client.InNamespace(namespace), client.MatchingFields{index: value}, client.UnsafeDisableDeepCopy)
	return found.Items, err
}
