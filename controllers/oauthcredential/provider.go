package oauthcredential

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/issuance"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/resolve"
)

// gatherPlan joins the credential with its provider. Where that cannot be done, there
// is an obstacle and no plan.
func (r *Reconciler) gatherPlan(ctx context.Context, f *facts) error {
	var err error
	if f.plan, f.obstacle, err = r.plan(ctx, f.credential); err != nil {
		return err
	}
	return r.claim(ctx, f)
}

// plan joins a credential with its provider, or tells what is in the way of that.
func (r *Reconciler) plan(ctx context.Context, credential *v1alpha1.OAuthCredential) (*resolve.Plan, *issuance.Failure, error) {
	provider, obstacle, err := r.provider(ctx, credential)
	if err != nil || obstacle != nil {
		return nil, obstacle, err
	}
	plan, err := resolve.Join(credential, provider)
	if unfit, ok := errors.AsType[*resolve.SpecError](err); ok {
		return nil, issuance.SpecFailure(unfit), nil
	}
	return plan, nil, err
}

// claim finds a credential that goes before this one where both want the same token of a
// provider where a new token ends the one before. One that cannot ask claims nothing.
func (r *Reconciler) claim(ctx context.Context, f *facts) error {
	token := exclusiveToken(f.credential, f.plan)
	if token != "" {
		if err := r.noteClaims(ctx); err != nil {
			return err
		}
	}
	older, concerned := r.claims.set(f.credential, token)
	r.wakeAll(concerned)
	switch {
	case older == nil:
	case older.name.Namespace == f.credential.Namespace:
		f.obstacle = obstacle(v1alpha1.ReasonTokenConflict, "the older OAuthCredential %q gets the same token, and a new one would end "+
			"the one before: use its Secret, or a client or scopes of its own", older.name.Name)
	default:
		f.obstacle = obstacle(v1alpha1.ReasonTokenConflict, "an older OAuthCredential of another namespace gets the same token, and a new "+
			"one would end the one before: ask for other scopes, or have a client of its own")
	}
	return nil
}

// exclusiveToken identifies the token that a credential asks for, if it must not be
// shared.
func exclusiveToken(credential *v1alpha1.OAuthCredential, plan *resolve.Plan) string {
	if plan == nil || credential.Spec.Suspend || !credential.DeletionTimestamp.IsZero() {
		return ""
	}
	return plan.ExclusiveToken()
}

// noteClaims notes the claims of all credentials, once. Who is looked at first after a
// start must not decide who has the token.
func (r *Reconciler) noteClaims(ctx context.Context) error {
	r.claims.noting.Lock()
	defer r.claims.noting.Unlock()
	if r.claims.noted {
		return nil
	}
	all := &v1alpha1.OAuthCredentialList{}
	if err := r.Client.List(ctx, all, client.UnsafeDisableDeepCopy); err != nil {
		return err
	}
	for i := range all.Items {
		credential := &all.Items[i]
		plan, _, err := r.plan(ctx, credential)
		if err != nil {
			return err
		}
		if token := exclusiveToken(credential, plan); token != "" {
			r.writes.seen(credential) // Should it be gone before it is looked at, its claim goes with it.
			r.claims.set(credential, token)
		}
	}
	r.claims.noted = true
	return nil
}

// provider finds the provider that a credential refers to, nil where it names its
// endpoint itself; or the reason why it may not be used.
func (r *Reconciler) provider(ctx context.Context, credential *v1alpha1.OAuthCredential) (*resolve.Provider, *issuance.Failure, error) {
	ref := credential.Spec.ProviderRef
	switch {
	case ref == nil:
		return nil, nil, nil
	case ref.Kind == v1alpha1.KindClusterOAuthProvider:
		return r.clusterProvider(ctx, credential.Namespace, ref.Name)
	}
	found := &v1alpha1.OAuthProvider{}
	switch err := r.Client.Get(ctx, types.NamespacedName{Namespace: credential.Namespace, Name: ref.Name}, found); {
	case apierrors.IsNotFound(err):
		return nil, obstacle(v1alpha1.ReasonProviderNotFound,
			"the OAuthProvider %q does not exist in this namespace: create it, or correct spec.providerRef", ref.Name), nil
	case err != nil:
		return nil, nil, err
	}
	return &resolve.Provider{
		Kind: v1alpha1.KindOAuthProvider, Name: found.Name, UID: found.UID, Namespace: found.Namespace, Spec: &found.Spec,
	}, nil, nil
}

// clusterProvider finds a ClusterOAuthProvider for a namespace that it admits.
func (r *Reconciler) clusterProvider(ctx context.Context, namespace, name string) (*resolve.Provider, *issuance.Failure, error) {
	if !r.ClusterProviders {
		return nil, obstacle(v1alpha1.ReasonProviderNotFound,
			"ClusterOAuthProviders are not available, because tokensync runs for some namespaces only (--watch-namespaces): "+
				"use an OAuthProvider in this namespace"), nil
	}
	found := &v1alpha1.ClusterOAuthProvider{}
	switch err := r.Client.Get(ctx, types.NamespacedName{Name: name}, found); {
	case apierrors.IsNotFound(err):
		return nil, obstacle(v1alpha1.ReasonProviderNotFound,
			"the ClusterOAuthProvider %q does not exist: create it, or correct spec.providerRef", name), nil
	case err != nil:
		return nil, nil, err
	}
	admitted, err := r.admits(ctx, found, namespace)
	if err != nil {
		return nil, nil, err
	}
	if !admitted {
		return nil, obstacle(v1alpha1.ReasonNamespaceNotAllowed,
			"the ClusterOAuthProvider %q does not admit this namespace: have its administrator select it in spec.allowedNamespaces", name), nil
	}
	return &resolve.Provider{
		Kind: v1alpha1.KindClusterOAuthProvider, Name: found.Name, UID: found.UID,
		Namespace: r.OperatorNamespace, Spec: &found.Spec.OAuthProviderSpec,
	}, nil, nil
}

// admits tells whether a provider's selector selects a namespace. A selector that
// cannot be read selects none.
func (r *Reconciler) admits(ctx context.Context, provider *v1alpha1.ClusterOAuthProvider, namespace string) (bool, error) {
	if provider.Spec.AllowedNamespaces == nil {
		return !resolve.HoldsSecret(&provider.Spec.OAuthProviderSpec), nil
	}
	selector, err := metav1.LabelSelectorAsSelector(provider.Spec.AllowedNamespaces)
	if err != nil {
		return false, nil //nolint:nilerr // The provider's own status tells of it.
	}
	if selector.Empty() {
		return true, nil
	}
	object := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"}}
	if err := r.Client.Get(ctx, types.NamespacedName{Name: namespace}, object); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return selector.Matches(labels.Set(object.Labels)), nil
}

// obstacle is what keeps a token from being asked for until something changes.
func obstacle(reason, format string, arguments ...any) *issuance.Failure {
	return &issuance.Failure{Reason: reason, Class: lifetime.Configuration, Message: fmt.Sprintf(format, arguments...)}
}
