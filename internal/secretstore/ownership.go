package secretstore

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Owner says whose a Secret is, as a credential sees it.
type Owner string

// The owners.
const (
	// Nobody means that there is no such Secret.
	Nobody Owner = "Nobody"
	// Us means that the Secret belongs to the credential.
	Us Owner = "Us"
	// AnotherCredential means that the Secret belongs to a credential of another name.
	AnotherCredential Owner = "AnotherCredential"
	// Stranger means that something other than tokensync made the Secret.
	Stranger Owner = "Stranger"
)

// OwnerOf tells whose the Secret with these metadata is; nil metadata stand for
// no Secret. name is the credential's name where the owner is AnotherCredential. A
// credential without a UID is no object of the cluster, and controls no Secret.
func OwnerOf(secret *metav1.ObjectMeta, credential *v1alpha1.OAuthCredential) (owner Owner, name string) {
	if secret == nil {
		return Nobody, ""
	}
	switch controller := metav1.GetControllerOfNoCopy(secret); {
	case controller != nil && credential.UID == "":
		return Stranger, ""
	case controller != nil && controller.UID == credential.UID:
		return Us, ""
	}
	if secret.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedByTokensync || secret.Labels[v1alpha1.LabelRole] != "" {
		return Stranger, "" // A grant is nobody's target.
	}
	switch name := secret.Labels[v1alpha1.LabelCredential]; name {
	case credential.Name:
		return Us, ""
	case "":
		return Stranger, ""
	default:
		return AnotherCredential, name
	}
}

// WroteToken tells whether tokensync wrote the token in a Secret that nothing else
// controls, whatever has become of its labels since.
func WroteToken(secret *corev1.Secret) bool {
	return metav1.GetControllerOfNoCopy(secret) == nil &&
		len(applied(secret.ManagedFields).keys("f:data")) > 0
}

// HasPowers says that Kubernetes or Helm acts on Secrets of this type: they are
// neither taken over, nor sent as they are to a URL of a credential's own.
func HasPowers(secretType corev1.SecretType) bool {
	return secretType == corev1.SecretTypeServiceAccountToken ||
		secretType == corev1.SecretTypeBootstrapToken ||
		strings.HasPrefix(string(secretType), "helm.sh/")
}

// Adoptable tells whether a Secret of a stranger may be taken over; where it may
// not, refusal completes the sentence "Secret x ...".
func Adoptable(secret *corev1.Secret) (refusal string, ok bool) {
	switch {
	case HasPowers(secret.Type):
		return "is of a type with powers of its own in Kubernetes", false
	case metav1.GetControllerOfNoCopy(secret) != nil:
		return "is kept by another controller", false
	case secret.Labels[v1alpha1.LabelRole] != "":
		return "holds the grant of a credential", false
	}
	return "", true
}
