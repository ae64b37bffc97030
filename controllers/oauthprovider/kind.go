package oauthprovider

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/resolve"
)

// kind is what tells an OAuthProvider from a ClusterOAuthProvider.
type kind struct {
	name    v1alpha1.ProviderKind
	empty   func() client.Object
	subject func(object client.Object, operatorNamespace string) subject
	// list makes an empty list, and items are the objects of one.
	list  func() client.ObjectList
	items func(client.ObjectList) []client.Object
}

// subject is one provider and its status, as the object holds it.
type subject struct {
	provider *resolve.Provider
	status   *v1alpha1.ProviderStatus
	// cluster is nil for an OAuthProvider.
	cluster *v1alpha1.ClusterOAuthProviderSpec
}

func namespaced() kind {
	return kind{
		name:  v1alpha1.KindOAuthProvider,
		empty: func() client.Object { return &v1alpha1.OAuthProvider{} },
		subject: func(object client.Object, _ string) subject {
			found, _ := object.(*v1alpha1.OAuthProvider)
			return subject{status: &found.Status, provider: &resolve.Provider{
				Kind: v1alpha1.KindOAuthProvider, Name: found.Name, UID: found.UID, Namespace: found.Namespace, Spec: &found.Spec,
			}}
		},
		list: func() client.ObjectList { return &v1alpha1.OAuthProviderList{} },
		items: func(list client.ObjectList) []client.Object {
			found, _ := list.(*v1alpha1.OAuthProviderList)
			return pointers(found.Items, func(p *v1alpha1.OAuthProvider) client.Object { return p })
		},
	}
}

func cluster() kind {
	return kind{
		name:  v1alpha1.KindClusterOAuthProvider,
		empty: func() client.Object { return &v1alpha1.ClusterOAuthProvider{} },
		subject: func(object client.Object, operatorNamespace string) subject {
			found, _ := object.(*v1alpha1.ClusterOAuthProvider)
			return subject{status: &found.Status, cluster: &found.Spec, provider: &resolve.Provider{
				Kind: v1alpha1.KindClusterOAuthProvider, Name: found.Name, UID: found.UID,
				Namespace: operatorNamespace, Spec: &found.Spec.OAuthProviderSpec,
			}}
		},
		list: func() client.ObjectList { return &v1alpha1.ClusterOAuthProviderList{} },
		items: func(list client.ObjectList) []client.Object {
			found, _ := list.(*v1alpha1.ClusterOAuthProviderList)
			return pointers(found.Items, func(p *v1alpha1.ClusterOAuthProvider) client.Object { return p })
		},
	}
}

func pointers[T any](items []T, object func(*T) client.Object) []client.Object {
	objects := make([]client.Object, 0, len(items))
	for i := range items {
		objects = append(objects, object(&items[i]))
	}
	return objects
}
