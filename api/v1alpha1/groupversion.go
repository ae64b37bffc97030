package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	// GroupVersion names this API.
	GroupVersion = schema.GroupVersion{Group: "tokensync.dev", Version: "v1alpha1"}

	// SchemeGroupVersion is GroupVersion, under the name that generated code expects.
	SchemeGroupVersion = GroupVersion

	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the kinds of this package with a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&OAuthCredential{}, &OAuthCredentialList{},
		&OAuthProvider{}, &OAuthProviderList{},
		&ClusterOAuthProvider{}, &ClusterOAuthProviderList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
