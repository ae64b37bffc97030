package schema_test

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// kind is one of the kinds of the API.
type kind struct {
	name, resource string
	namespaced     bool
	// minimal is the least that a user can write.
	minimal string
	// endpoint is the path of what describes the endpoint, and around is YAML with
	// a place for it.
	endpoint, around string
	// empty makes an object to read into, and list a list of them.
	empty func() client.Object
	list  func() client.ObjectList
}

var (
	credentials = kind{
		name: "OAuthCredential", resource: "oauthcredentials", namespaced: true,
		minimal: `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthCredential
metadata: {generateName: schema-}
spec: {provider: {tokenURL: https://login.example.com/oauth/token}}
`,
		endpoint: "spec.provider", around: "spec: {provider: %s}",
		empty: func() client.Object { return &v1alpha1.OAuthCredential{} },
		list:  func() client.ObjectList { return &v1alpha1.OAuthCredentialList{} },
	}
	providers = kind{
		name: "OAuthProvider", resource: "oauthproviders", namespaced: true,
		minimal: `
apiVersion: tokensync.dev/v1alpha1
kind: OAuthProvider
metadata: {generateName: schema-}
spec: {tokenURL: https://login.example.com/oauth/token}
`,
		endpoint: "spec", around: "spec: %s",
		empty: func() client.Object { return &v1alpha1.OAuthProvider{} },
		list:  func() client.ObjectList { return &v1alpha1.OAuthProviderList{} },
	}
	clusterProviders = kind{
		name: "ClusterOAuthProvider", resource: "clusteroauthproviders",
		minimal: `
apiVersion: tokensync.dev/v1alpha1
kind: ClusterOAuthProvider
metadata: {generateName: schema-}
spec: {tokenURL: https://login.example.com/oauth/token, allowedNamespaces: {}}
`,
		endpoint: "spec", around: "spec: %s",
		empty: func() client.Object { return &v1alpha1.ClusterOAuthProvider{} },
		list:  func() client.ObjectList { return &v1alpha1.ClusterOAuthProviderList{} },
	}

	kinds         = []kind{credentials, providers, clusterProviders}
	providerKinds = []kind{providers, clusterProviders}
)
