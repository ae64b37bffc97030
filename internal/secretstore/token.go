package secretstore

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/render"
)

// credentialKind is the kind in the owner references of target Secrets.
const credentialKind = "OAuthCredential"

// Token is a token as it is published.
type Token struct {
	Data render.Data
	// ExpiresAt is zero where the lifetime is unknown.
	ExpiresAt time.Time
	// IssuedAt is the instant before the token was asked for.
	IssuedAt time.Time
	// InputsHash is a hash of what the token was asked for with.
	InputsHash string
}

// Described is what a target Secret says of the token in it.
type Described struct {
	Life       lifetime.Token
	InputsHash string
	DataHash   string
}

// Describe reads the annotations of a target Secret. It answers false where they
// do not describe a token.
func Describe(secret *metav1.ObjectMeta) (Described, bool) {
	issuedAt, ok := instant(secret.Annotations[v1alpha1.AnnotationIssuedAt])
	if !ok {
		return Described{}, false
	}
	described := Described{
		Life:       lifetime.Token{IssuedAt: issuedAt},
		InputsHash: secret.Annotations[v1alpha1.AnnotationInputsHash],
		DataHash:   secret.Annotations[v1alpha1.AnnotationDataHash],
	}
	if text, there := secret.Annotations[v1alpha1.AnnotationExpiresAt]; there {
		if described.Life.ExpiresAt, ok = instant(text); !ok {
			return Described{}, false
		}
	}
	return described, described.DataHash != "" && described.InputsHash != "" &&
		plausible(described.Life.IssuedAt, described.Life.ExpiresAt)
}

// Inspect looks into a target Secret for the token that was written there, and
// tells whether the Secret still is as it was written for the credential. known is
// the life that the credential's status names, as far as it names one; adopted says
// that the Secret was taken over. It answers false where the token is lost.
func Inspect(secret *corev1.Secret, credential *v1alpha1.OAuthCredential, known lifetime.Token, adopted bool) (token Token, drifted, ok bool) {
	described, _ := Describe(&secret.ObjectMeta)
	issuedAt, issued := instant(secret.Annotations[v1alpha1.AnnotationIssuedAt])
	written, _ := instant(string(secret.Data[v1alpha1.KeyExpiresAt]))
	found, expiresAt, ok := recoverData(secret, credential, described.Life.ExpiresAt, written, known.ExpiresAt)
	if ok && expiresAt.Equal(known.ExpiresAt) && !known.IssuedAt.IsZero() {
		// It is the token that the status speaks of, whatever became of the annotation.
		issuedAt, issued = known.IssuedAt, true
	}
	if !ok || !issued || !plausible(issuedAt, expiresAt) {
		return Token{}, false, false
	}
	token = Token{Data: found, ExpiresAt: expiresAt, IssuedAt: issuedAt.UTC(), InputsHash: secret.Annotations[v1alpha1.AnnotationInputsHash]}
	return token, !asWritten(secret, configuration(credential, token, adopted)), true
}

// recoverData finds what was written into a Secret: where its own keys are what they
// were, or the default keys can be told in spite of edits.
func recoverData(secret *corev1.Secret, credential *v1alpha1.OAuthCredential, expiries ...time.Time) (render.Data, time.Time, bool) {
	hash := secret.Annotations[v1alpha1.AnnotationDataHash]
	mine := applied(secret.ManagedFields).keys("f:data")
	// No expiry comes last: data that tell it themselves have the same hash without.
	expiries = append(slices.DeleteFunc(expiries, time.Time.IsZero), time.Time{})
	for _, keys := range [][]string{mine, slices.Collect(maps.Keys(credential.Spec.Secret.Data))} {
		if data, expiresAt, ok := render.Intact(secret.Data, keys, hash, expiries...); ok {
			return data, expiresAt, true
		}
	}
	found, ok := render.Recover(secret.Data, hash, expiries...)
	if !ok && secret.Data != nil {
		// Where somebody has edited the scope, it likely was the one that was asked for.
		data := maps.Clone(secret.Data)
		data[v1alpha1.KeyScope] = []byte(strings.Join(credential.Spec.Scopes, " "))
		found, ok = render.Recover(data, hash, expiries...)
	}
	return render.Default(found), found.ExpiresAt, ok
}

// plausible says that a token expires after it was issued, if it does.
func plausible(issuedAt, expiresAt time.Time) bool {
	return expiresAt.IsZero() || issuedAt.Before(expiresAt)
}

// asWritten tells whether a Secret is what would be applied to it: it holds all of
// that, and nothing more that tokensync has put there.
func asWritten(secret, desired *corev1.Secret) bool {
	var owner types.UID
	for _, reference := range desired.OwnerReferences {
		owner = reference.UID
	}
	mine := applied(secret.ManagedFields)
	return ownerOf(secret, owner) && desired.Type == secret.Type &&
		contains(secret.Labels, desired.Labels) && mine.within(desired.Labels, "f:metadata", "f:labels") &&
		contains(secret.Annotations, desired.Annotations) && mine.within(desired.Annotations, "f:metadata", "f:annotations") &&
		render.Holds(secret.Data, desired.Data)
}

// ownerOf tells whether a Secret has the credential with this UID for its
// controller, or, without a UID, no credential.
func ownerOf(secret *corev1.Secret, owner types.UID) bool {
	controller := metav1.GetControllerOfNoCopy(secret)
	if owner == "" {
		return controller == nil || controller.Kind != credentialKind
	}
	return controller != nil && controller.UID == owner
}

func contains(have, want map[string]string) bool {
	for key, value := range want {
		if got, ok := have[key]; !ok || got != value {
			return false
		}
	}
	return true
}

// configuration is the Secret that a credential's token makes.
func configuration(credential *v1alpha1.OAuthCredential, token Token, adopted bool) *corev1.Secret {
	target := credential.Spec.Secret
	labels := text(target.Labels)
	labels[v1alpha1.LabelManagedBy] = v1alpha1.ManagedByTokensync
	labels[v1alpha1.LabelCredential] = credential.Name
	annotations := text(target.Annotations)
	maps.Copy(annotations, map[string]string{
		v1alpha1.AnnotationIssuedAt:   token.IssuedAt.UTC().Format(time.RFC3339),
		v1alpha1.AnnotationInputsHash: token.InputsHash,
		v1alpha1.AnnotationDataHash:   render.Hash(token.Data, token.ExpiresAt),
	})
	if !token.ExpiresAt.IsZero() {
		annotations[v1alpha1.AnnotationExpiresAt] = token.ExpiresAt.UTC().Format(time.RFC3339)
	}
	secret := newSecret(types.NamespacedName{Namespace: credential.Namespace, Name: TargetName(credential)})
	secret.Type, secret.Labels, secret.Annotations, secret.Data = TargetType(credential), labels, annotations, token.Data
	switch policy := deletionPolicy(credential); {
	case adopted:
		// Without an owner reference it outlives the credential. The mark tells
		// whether the keys of tokensync do.
		annotations[v1alpha1.AnnotationAdopted] = string(policy)
	case policy == v1alpha1.DeletionPolicyDelete && credential.UID != "":
		// A credential that is no object of the cluster cannot own one.
		secret.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: v1alpha1.GroupVersion.String(),
			Kind:       credentialKind,
			Name:       credential.Name,
			UID:        credential.UID,
			Controller: new(true),
		}}
	}
	return secret
}

// TargetName is the name of the credential's Secret.
func TargetName(credential *v1alpha1.OAuthCredential) string {
	if credential.Spec.Secret.Name != "" {
		return credential.Spec.Secret.Name
	}
	return credential.Name
}

// TargetType is the type of the credential's Secret.
func TargetType(credential *v1alpha1.OAuthCredential) corev1.SecretType {
	if credential.Spec.Secret.Type != "" {
		return corev1.SecretType(credential.Spec.Secret.Type)
	}
	return corev1.SecretTypeOpaque
}

func deletionPolicy(credential *v1alpha1.OAuthCredential) v1alpha1.DeletionPolicy {
	if policy := credential.Spec.Secret.DeletionPolicy; policy != "" {
		return policy
	}
	return v1alpha1.DeletionPolicyDelete
}

// IsAdopted tells whether a Secret bears the mark of one that was taken over.
func IsAdopted(secret *metav1.ObjectMeta) bool {
	return secret.Annotations[v1alpha1.AnnotationAdopted] != ""
}

func text[V ~string](m map[string]V) map[string]string {
	plain := make(map[string]string, len(m)+4)
	for key, value := range m {
		plain[key] = string(value)
	}
	return plain
}

func instant(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err == nil
}
