package oauthcredential

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Trim reduces what the cache holds of a Secret or ConfigMap to what is needed:
// of one that tokensync does not manage, only its name and version.
func Trim(object any) (any, error) {
	metadata, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return object, nil
	}
	trimmed := metav1.ObjectMeta{
		Namespace:         metadata.Namespace,
		Name:              metadata.Name,
		UID:               metadata.UID,
		ResourceVersion:   metadata.ResourceVersion,
		DeletionTimestamp: metadata.DeletionTimestamp,
	}
	if metadata.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedByTokensync || controlledByCredential(metadata) {
		trimmed.Labels = only(metadata.Labels, v1alpha1.LabelManagedBy, v1alpha1.LabelCredential, v1alpha1.LabelRole)
		trimmed.Annotations = only(metadata.Annotations,
			v1alpha1.AnnotationIssuedAt, v1alpha1.AnnotationExpiresAt, v1alpha1.AnnotationInputsHash,
			v1alpha1.AnnotationDataHash, v1alpha1.AnnotationAdopted, v1alpha1.AnnotationRefreshRequestedAt)
		trimmed.OwnerReferences = metadata.OwnerReferences
	}
	metadata.ObjectMeta = trimmed
	return metadata, nil
}

// TrimNamespace reduces what the cache holds of a namespace to its name and labels.
func TrimNamespace(object any) (any, error) {
	if metadata, ok := object.(*metav1.PartialObjectMetadata); ok {
		metadata.ObjectMeta = metav1.ObjectMeta{
			Name: metadata.Name, UID: metadata.UID, ResourceVersion: metadata.ResourceVersion, Labels: metadata.Labels,
		}
	}
	return object, nil
}

func controlledByCredential(object metav1.Object) bool {
	controller := metav1.GetControllerOfNoCopy(object)
	return controller != nil && controller.Kind == "OAuthCredential" && controller.APIVersion == v1alpha1.GroupVersion.String()
}

func only(all map[string]string, keys ...string) map[string]string {
	kept := make(map[string]string, len(keys))
	for _, key := range keys {
		if value, ok := all[key]; ok {
			kept[key] = value
		}
	}
	return kept
}
