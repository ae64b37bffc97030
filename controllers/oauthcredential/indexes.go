package oauthcredential

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// addIndexes adds the indexes by which an event finds the credentials that it concerns.
func addIndexes(ctx context.Context, indexer client.FieldIndexer, clusterProviders bool) error {
	credential, provider, clusterProvider := &v1alpha1.OAuthCredential{}, &v1alpha1.OAuthProvider{}, &v1alpha1.ClusterOAuthProvider{}
	secret := &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}}
	type index struct {
		object client.Object
		name   string
		values client.IndexerFunc
	}
	indexes := []index{
		{credential, indexTarget, of(func(c *v1alpha1.OAuthCredential) []string { return []string{secretstore.TargetName(c)} })},
		{credential, indexProvider, of(providerKeys)},
		{credential, indexSecret, of(credentialNames(v1alpha1.KindSecret))},
		{credential, indexConfigMap, of(credentialNames(v1alpha1.KindConfigMap))},
		{provider, indexSecret, of(providerNames(v1alpha1.KindSecret))},
		{provider, indexConfigMap, of(providerNames(v1alpha1.KindConfigMap))},
		{secret, indexAdoptedBy, adoptedBy},
	}
	if clusterProviders {
		indexes = append(indexes,
			index{clusterProvider, indexSecret, of(clusterProviderNames(v1alpha1.KindSecret))},
			index{clusterProvider, indexConfigMap, of(clusterProviderNames(v1alpha1.KindConfigMap))})
	}
	for _, index := range indexes {
		if err := indexer.IndexField(ctx, index.object, index.name, index.values); err != nil {
			return err
		}
	}
	return nil
}

// of makes an index of a function of objects of one kind.
func of[T client.Object](values func(T) []string) client.IndexerFunc {
	return func(object client.Object) []string {
		typed, ok := object.(T)
		if !ok {
			return nil
		}
		return values(typed)
	}
}

func adoptedBy(object client.Object) []string {
	if object.GetAnnotations()[v1alpha1.AnnotationAdopted] != string(v1alpha1.DeletionPolicyDelete) {
		return nil
	}
	return []string{object.GetLabels()[v1alpha1.LabelCredential]}
}

func providerKeys(credential *v1alpha1.OAuthCredential) []string {
	ref := credential.Spec.ProviderRef
	if ref == nil {
		return nil
	}
	return []string{providerKey(ref.Kind, ref.Name)}
}

func providerKey(kind v1alpha1.ProviderKind, name string) string { return string(kind) + "/" + name }

// credentialNames are the objects that a credential reads. The Secret of its grant is
// among them by its name, because it may be somebody else's.
func credentialNames(kind v1alpha1.ReferenceKind) func(*v1alpha1.OAuthCredential) []string {
	return func(c *v1alpha1.OAuthCredential) []string {
		names := namesOf(kind, resolve.CredentialSources(c))
		if kind == v1alpha1.KindSecret && resolve.KeepsGrant(c) {
			names = append(names, secretstore.GrantName(c.Name))
		}
		return names
	}
}

func providerNames(kind v1alpha1.ReferenceKind) func(*v1alpha1.OAuthProvider) []string {
	return func(p *v1alpha1.OAuthProvider) []string {
		return namesOf(kind, resolve.ProviderSources(&p.Spec, p.Namespace))
	}
}

func clusterProviderNames(kind v1alpha1.ReferenceKind) func(*v1alpha1.ClusterOAuthProvider) []string {
	return func(p *v1alpha1.ClusterOAuthProvider) []string {
		return namesOf(kind, resolve.ProviderSources(&p.Spec.OAuthProviderSpec, ""))
	}
}

func namesOf(kind v1alpha1.ReferenceKind, sources []resolve.Source) []string {
	var names []string
	for _, source := range sources {
		if source.Kind == kind {
			names = append(names, source.Name)
		}
	}
	return names
}

// credentialsOfSecret are the credentials that a change of a Secret may concern:
// those that write it, those that read it, by themselves or by their provider, and
// the one that it is labeled with.
func (r *Reconciler) credentialsOfSecret(ctx context.Context, secret client.Object) []reconcile.Request {
	requests := r.indexed(ctx, secret.GetNamespace(), indexTarget, secret.GetName())
	requests = append(requests, r.readersOf(ctx, indexSecret, secret)...)
	if name := secret.GetLabels()[v1alpha1.LabelCredential]; name != "" {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: secret.GetNamespace(), Name: name}})
	}
	return requests
}

func (r *Reconciler) credentialsOfConfigMap(ctx context.Context, configMap client.Object) []reconcile.Request {
	return r.readersOf(ctx, indexConfigMap, configMap)
}

// readersOf are the credentials that read an object, by themselves or by their
// provider.
func (r *Reconciler) readersOf(ctx context.Context, index string, object client.Object) []reconcile.Request {
	requests := r.indexed(ctx, object.GetNamespace(), index, object.GetName())
	providers, clusterProviders, err := r.providersReading(ctx, index, object.GetNamespace(), object.GetName())
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "List providers by index", "index", index)
	}
	for i := range providers {
		requests = append(requests, r.credentialsOfProvider(ctx, &providers[i])...)
	}
	for i := range clusterProviders {
		requests = append(requests, r.credentialsOfClusterProvider(ctx, &clusterProviders[i])...)
	}
	return requests
}

// providersReading are the providers that read an object.
func (r *Reconciler) providersReading(ctx context.Context, index, namespace, name string) ([]v1alpha1.OAuthProvider, []v1alpha1.ClusterOAuthProvider, error) {
	named := client.MatchingFields{index: name}
	providers, clusterProviders := &v1alpha1.OAuthProviderList{}, &v1alpha1.ClusterOAuthProviderList{}
	err := r.Client.List(ctx, providers, client.InNamespace(namespace), named, client.UnsafeDisableDeepCopy)
	if err == nil && r.ClusterProviders && namespace == r.OperatorNamespace {
		err = r.Client.List(ctx, clusterProviders, named, client.UnsafeDisableDeepCopy)
	}
	return providers.Items, clusterProviders.Items, err
}

func (r *Reconciler) credentialsOfProvider(ctx context.Context, provider client.Object) []reconcile.Request {
	return r.indexed(ctx, provider.GetNamespace(), indexProvider, providerKey(v1alpha1.KindOAuthProvider, provider.GetName()))
}

func (r *Reconciler) credentialsOfClusterProvider(ctx context.Context, provider client.Object) []reconcile.Request {
	return r.indexed(ctx, metav1.NamespaceAll, indexProvider, providerKey(v1alpha1.KindClusterOAuthProvider, provider.GetName()))
}

// credentialsOfNamespace are those whose provider may or may not admit the namespace.
func (r *Reconciler) credentialsOfNamespace(ctx context.Context, namespace client.Object) []reconcile.Request {
	credentials := &v1alpha1.OAuthCredentialList{}
	if err := r.Client.List(ctx, credentials, client.InNamespace(namespace.GetName()), client.UnsafeDisableDeepCopy); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "List the credentials of a namespace")
		return nil
	}
	var requests []reconcile.Request
	for i := range credentials.Items {
		if ref := credentials.Items[i].Spec.ProviderRef; ref != nil && ref.Kind == v1alpha1.KindClusterOAuthProvider {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&credentials.Items[i])})
		}
	}
	return requests
}

func (r *Reconciler) indexed(ctx context.Context, namespace, index, value string) []reconcile.Request {
	credentials, err := r.list(ctx, namespace, index, value)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "List credentials by index", "index", index)
		return nil
	}
	requests := make([]reconcile.Request, 0, len(credentials))
	for i := range credentials {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&credentials[i])})
	}
	return requests
}
