package manifest

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

// Object is an object of the Kubernetes API.
type Object interface {
	metav1.Object
	runtime.Object
}

// Objects finds the objects of a manifest by their namespaces and names. Where one is not
// there, the error is one that apierrors.IsNotFound knows.
type Objects struct {
	Manifest *Manifest
	// Namespace is that of objects of the manifest which name none.
	Namespace string
	// Operator is the namespace where the Secrets of ClusterOAuthProviders are.
	Operator string
	// Elsewhere reads what the manifest does not hold, in the way of a client of the API.
	// nil means that only the manifest counts.
	Elsewhere func(ctx context.Context, namespace, name string, into Object) error
}

// Credentials are the credentials of a name, and all where that is empty, each with its
// namespace.
func (o Objects) Credentials(name string) []v1alpha1.OAuthCredential {
	var chosen []v1alpha1.OAuthCredential
	for _, credential := range o.Manifest.Credentials {
		if credential.Namespace == "" {
			credential.Namespace = o.Namespace
		}
		if name == "" || credential.Name == name {
			chosen = append(chosen, credential)
		}
	}
	return chosen
}

// Secret finds a Secret, which must not be changed.
func (o Objects) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	for i := range o.Manifest.secrets {
		if o.is(&o.Manifest.secrets[i].ObjectMeta, namespace, name) {
			return &o.Manifest.secrets[i], nil
		}
	}
	secret := &corev1.Secret{}
	if err := o.elsewhere(ctx, "secrets", namespace, name, secret); err != nil {
		return nil, err
	}
	return secret, nil
}

// ConfigMap finds a ConfigMap, which must not be changed.
func (o Objects) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	for i := range o.Manifest.configMaps {
		if o.is(&o.Manifest.configMaps[i].ObjectMeta, namespace, name) {
			return &o.Manifest.configMaps[i], nil
		}
	}
	configMap := &corev1.ConfigMap{}
	if err := o.elsewhere(ctx, "configmaps", namespace, name, configMap); err != nil {
		return nil, err
	}
	return configMap, nil
}

// Provider finds the provider that a credential refers to, nil where it names its
// endpoint itself. Which namespaces a ClusterOAuthProvider admits is not looked at: a
// manifest knows nothing of their labels.
func (o Objects) Provider(ctx context.Context, credential *v1alpha1.OAuthCredential) (*resolve.Provider, error) {
	ref := credential.Spec.ProviderRef
	switch {
	case ref == nil:
		return nil, nil //nolint:nilnil // No provider is no error.
	case ref.Kind == v1alpha1.KindClusterOAuthProvider:
		return o.clusterProvider(ctx, ref.Name)
	}
	return o.namespacedProvider(ctx, credential.Namespace, ref.Name)
}

func (o Objects) namespacedProvider(ctx context.Context, namespace, name string) (*resolve.Provider, error) {
	found := &v1alpha1.OAuthProvider{}
	for i := range o.Manifest.providers {
		if o.is(&o.Manifest.providers[i].ObjectMeta, namespace, name) {
			found = &o.Manifest.providers[i]
			break
		}
	}
	if found.Name == "" {
		if err := o.elsewhere(ctx, "oauthproviders", namespace, name, found); err != nil {
			return nil, err
		}
	}
	return &resolve.Provider{
		Kind: v1alpha1.KindOAuthProvider, Name: found.Name, UID: found.UID, Namespace: namespace, Spec: &found.Spec,
	}, nil
}

func (o Objects) clusterProvider(ctx context.Context, name string) (*resolve.Provider, error) {
	found := &v1alpha1.ClusterOAuthProvider{}
	for i := range o.Manifest.clusterProviders {
		if o.Manifest.clusterProviders[i].Name == name {
			found = &o.Manifest.clusterProviders[i]
			break
		}
	}
	if found.Name == "" {
		if err := o.elsewhere(ctx, "clusteroauthproviders", "", name, found); err != nil {
			return nil, err
		}
	}
	return &resolve.Provider{
		Kind: v1alpha1.KindClusterOAuthProvider, Name: found.Name, UID: found.UID, Namespace: o.Operator, Spec: &found.Spec.OAuthProviderSpec,
	}, nil
}

// is tells whether an object of the manifest is the one that is looked for. Where it
// names no namespace, it is in whichever is meant, as with kubectl.
func (o Objects) is(object *metav1.ObjectMeta, namespace, name string) bool {
	if object.Name != name {
		return false
	}
	if object.Namespace == "" {
		return namespace == o.Namespace || namespace == o.Operator
	}
	return object.Namespace == namespace
}

func (o Objects) elsewhere(ctx context.Context, resource, namespace, name string, into Object) error {
	if o.Elsewhere == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: resource}, name)
	}
	return o.Elsewhere(ctx, namespace, name, into)
}
