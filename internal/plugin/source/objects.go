package source

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/serviceaccount"
)

// Objects are those of a manifest, and, where they may be read, those of the cluster.
// What was read once is read no more.
type Objects struct {
	Manifest *Manifest
	// Namespace is that of objects of the manifest which name none.
	Namespace string
	// Operator is the namespace where the Secrets of ClusterOAuthProviders are.
	Operator string
	// Cluster is nil where only the manifest counts.
	Cluster *cli.Cluster

	// fromCluster are the Secrets that were read from the cluster, and tokens the tokens
	// of ServiceAccounts.
	fromCluster map[types.NamespacedName]*corev1.Secret
	tokens      map[string]redact.String
}

var _ resolve.Reader = (*Objects)(nil)

// FromCluster tells whether a secret of the cluster was read.
func (o *Objects) FromCluster() bool { return len(o.fromCluster)+len(o.tokens) > 0 }

// Resolver makes token requests of what is found.
func (o *Objects) Resolver(tokens *oauth.Client, now func() time.Time) resolve.Resolver {
	return resolve.Resolver{Reader: o, Expressions: expression.NewCompiler(), Issuers: &Issuers{Client: tokens}, Now: now}
}

// Secret implements resolve.Reader.
func (o *Objects) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	for i := range o.Manifest.secrets {
		if o.is(&o.Manifest.secrets[i].ObjectMeta, namespace, name) {
			return &o.Manifest.secrets[i], nil
		}
	}
	key := types.NamespacedName{Namespace: namespace, Name: name}
	if secret, ok := o.fromCluster[key]; ok {
		return secret, nil
	}
	secret := &corev1.Secret{}
	if err := o.get(ctx, "secrets", namespace, name, secret); err != nil {
		return nil, err
	}
	if o.fromCluster == nil {
		o.fromCluster = map[types.NamespacedName]*corev1.Secret{}
	}
	o.fromCluster[key] = secret
	return secret, nil
}

// ConfigMap implements resolve.Reader.
func (o *Objects) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	for i := range o.Manifest.configMaps {
		if o.is(&o.Manifest.configMaps[i].ObjectMeta, namespace, name) {
			return &o.Manifest.configMaps[i], nil
		}
	}
	configMap := &corev1.ConfigMap{}
	return configMap, o.get(ctx, "configmaps", namespace, name, configMap)
}

// ServiceAccountToken implements resolve.Reader.
func (o *Objects) ServiceAccountToken(ctx context.Context, namespace string, ref v1alpha1.ServiceAccountToken) (redact.String, error) {
	if o.Cluster == nil {
		return redact.String{}, resolve.NewSpecError(v1alpha1.ReasonServiceAccountRefused, fmt.Sprintf(
			"a token of the ServiceAccount %q can only be had from a cluster: give --with-cluster", ref.Name))
	}
	key := fmt.Sprintf("%s/%s %s", namespace, ref.Name, ref.Audience)
	if token, ok := o.tokens[key]; ok {
		return token, nil
	}
	issuer := &serviceaccount.Issuer{Enabled: true, Reader: o.Cluster.Client, Tokens: o.Cluster.Client.SubResource("token")}
	token, err := issuer.Token(ctx, namespace, ref)
	if err != nil {
		return redact.String{}, err
	}
	if o.tokens == nil {
		o.tokens = map[string]redact.String{}
	}
	o.tokens[key] = token
	return token, nil
}

// is tells whether an object of the manifest is the one that is looked for. Where it
// names no namespace, it is in whichever is meant, as with kubectl.
func (o *Objects) is(object *metav1.ObjectMeta, namespace, name string) bool {
	if object.Name != name {
		return false
	}
	if object.Namespace == "" {
		return namespace == o.Namespace || namespace == o.Operator
	}
	return object.Namespace == namespace
}

// get reads an object of the cluster.
func (o *Objects) get(ctx context.Context, resource, namespace, name string, into client.Object) error {
	if o.Cluster == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: resource}, name)
	}
	err := o.Cluster.Client.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, into)
	if apierrors.IsNotFound(err) {
		return err // It has its own word, by the reference that led here.
	}
	return cli.Explain(err)
}

// Provider finds the provider that a credential refers to, nil where it names its
// endpoint itself. The error is a *resolve.SpecError where there is no such provider.
func (o *Objects) Provider(ctx context.Context, credential *v1alpha1.OAuthCredential) (*resolve.Provider, error) {
	ref := credential.Spec.ProviderRef
	switch {
	case ref == nil:
		return nil, nil //nolint:nilnil // No provider is no error.
	case ref.Kind == v1alpha1.KindClusterOAuthProvider:
		return o.clusterProvider(ctx, ref.Name)
	}
	found, err := o.namespacedProvider(ctx, credential.Namespace, ref.Name)
	if err != nil {
		return nil, o.missing(ref, err)
	}
	return &resolve.Provider{
		Kind: v1alpha1.KindOAuthProvider, Name: found.Name, UID: found.UID, Namespace: credential.Namespace, Spec: &found.Spec,
	}, nil
}

func (o *Objects) namespacedProvider(ctx context.Context, namespace, name string) (*v1alpha1.OAuthProvider, error) {
	for i := range o.Manifest.providers {
		if o.is(&o.Manifest.providers[i].ObjectMeta, namespace, name) {
			return &o.Manifest.providers[i], nil
		}
	}
	found := &v1alpha1.OAuthProvider{}
	return found, o.get(ctx, "oauthproviders", namespace, name, found)
}

func (o *Objects) clusterProvider(ctx context.Context, name string) (*resolve.Provider, error) {
	found := &v1alpha1.ClusterOAuthProvider{}
	for i := range o.Manifest.clusterProviders {
		if o.Manifest.clusterProviders[i].Name == name {
			found = &o.Manifest.clusterProviders[i]
		}
	}
	if found.Name == "" {
		if err := o.get(ctx, "clusteroauthproviders", "", name, found); err != nil {
			return nil, o.missing(&v1alpha1.ProviderReference{Kind: v1alpha1.KindClusterOAuthProvider, Name: name}, err)
		}
	}
	return &resolve.Provider{
		Kind: v1alpha1.KindClusterOAuthProvider, Name: found.Name, UID: found.UID, Namespace: o.Operator, Spec: &found.Spec.OAuthProviderSpec,
	}, nil
}

// missing says where a provider was looked for.
func (o *Objects) missing(ref *v1alpha1.ProviderReference, err error) error {
	if !apierrors.IsNotFound(err) {
		return err
	}
	where := "is not in the file: add it there, or give --with-cluster to look for it in the cluster too"
	switch {
	case o.Cluster != nil && o.Manifest.read:
		where = "is neither in the file nor in the cluster: create it, or correct spec.providerRef"
	case o.Cluster != nil:
		where = "does not exist in the cluster: create it, or correct spec.providerRef"
	}
	return resolve.NewSpecError(v1alpha1.ReasonProviderNotFound, fmt.Sprintf("the %s %q %s", ref.Kind, ref.Name, where))
}
