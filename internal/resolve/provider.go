package resolve

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Provider is the OAuthProvider or ClusterOAuthProvider that a credential refers to.
type Provider struct {
	Kind v1alpha1.ProviderKind
	Name string
	UID  types.UID
	// Namespace is where the objects are that the provider names: its own, or, for a
	// ClusterOAuthProvider, the operator's.
	Namespace string
	Spec      *v1alpha1.OAuthProviderSpec
}

// HoldsSecret tells whether a provider names a Secret that credentials get tokens
// with and may not see. A CA bundle is no secret.
func HoldsSecret(spec *v1alpha1.OAuthProviderSpec) bool {
	return spec.Client != nil || len(secretNames(spec.Request.RequestAdditions)) > 0
}

// String names the provider, as messages do.
func (p *Provider) String() string {
	return string(p.Kind) + " \"" + p.Name + "\""
}

// isCluster tells whether tenants may not see what the provider names.
func (p *Provider) isCluster() bool {
	return p != nil && p.Kind == v1alpha1.KindClusterOAuthProvider
}
