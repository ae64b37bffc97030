package source

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/expression"
	"github.com/tokensync/tokensync/internal/manifest"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/plugin/cli"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/resolve"
	"github.com/tokensync/tokensync/internal/serviceaccount"
)

// Objects are those of a manifest, and, where they may be read, those of the cluster.
// What was read once is read no more.
type Objects struct {
	Manifest *manifest.Manifest
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

// Credentials are those of the manifest of a name, and all where that is empty.
func (o *Objects) Credentials(name string) []v1alpha1.OAuthCredential {
	return o.lookup().Credentials(name)
}

// Secret implements resolve.Reader.
func (o *Objects) Secret(ctx context.Context, namespace, name string) (*corev1.Secret, error) {
	return o.lookup().Secret(ctx, namespace, name)
}

// ConfigMap implements resolve.Reader.
func (o *Objects) ConfigMap(ctx context.Context, namespace, name string) (*corev1.ConfigMap, error) {
	return o.lookup().ConfigMap(ctx, namespace, name)
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

// lookup looks into the manifest, and then into the cluster, if there is one.
func (o *Objects) lookup() manifest.Objects {
	lookup := manifest.Objects{Manifest: o.Manifest, Namespace: o.Namespace, Operator: o.Operator}
	if o.Cluster != nil {
		lookup.Elsewhere = o.inCluster
	}
	return lookup
}

// inCluster reads an object of the cluster.
func (o *Objects) inCluster(ctx context.Context, namespace, name string, into manifest.Object) error {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	secret, isSecret := into.(*corev1.Secret)
	if known, ok := o.fromCluster[key]; ok && isSecret {
		known.DeepCopyInto(secret)
		return nil
	}
	err := o.Cluster.Client.Get(ctx, key, into)
	if apierrors.IsNotFound(err) {
		return err // It has its own word, by the reference that led here.
	}
	if err == nil && isSecret {
		if o.fromCluster == nil {
			o.fromCluster = map[types.NamespacedName]*corev1.Secret{}
		}
		o.fromCluster[key] = secret
	}
	return cli.Explain(err)
}

// Provider finds the provider that a credential refers to, nil where it names its
// endpoint itself. The error is a *resolve.SpecError where there is no such provider.
func (o *Objects) Provider(ctx context.Context, credential *v1alpha1.OAuthCredential) (*resolve.Provider, error) {
	provider, err := o.lookup().Provider(ctx, credential)
	if apierrors.IsNotFound(err) {
		return nil, o.missing(credential.Spec.ProviderRef)
	}
	return provider, err
}

// missing says where a provider was looked for.
func (o *Objects) missing(ref *v1alpha1.ProviderReference) error {
	where := "is not in the file: add it there, or give --with-cluster to look for it in the cluster too"
	switch {
	case o.Cluster != nil && !o.Manifest.IsEmpty():
		where = "is neither in the file nor in the cluster: create it, or correct spec.providerRef"
	case o.Cluster != nil:
		where = "does not exist in the cluster: create it, or correct spec.providerRef"
	}
	return resolve.NewSpecError(v1alpha1.ReasonProviderNotFound, fmt.Sprintf("the %s %q %s", ref.Kind, ref.Name, where))
}
