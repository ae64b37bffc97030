package inspect

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/redact"
	"github.com/tokensync/tokensync/internal/secretstore"
)

// Report is what there is to say of a credential's Secret.
type Report struct {
	Namespace  string `json:"namespace"`
	Credential string `json:"credential"`
	Secret     string `json:"secret"`
	Type       string `json:"type"`
	// IssuedAt and ExpiresAt are what the Secret says of its token.
	IssuedAt  *metav1.Time `json:"issuedAt,omitempty"`
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`
	TokenType string       `json:"tokenType,omitempty"`
	Scope     string       `json:"scope,omitempty"`
	// Described says that the Secret describes its token, as those of tokensync do.
	Described bool `json:"described"`
	// RefreshTokenExpiresAt is when the grant ends, where that is known.
	RefreshTokenExpiresAt *metav1.Time `json:"refreshTokenExpiresAt,omitempty"`
	Keys                  []Key        `json:"keys"`
}

// Key is a key of a Secret, without its value.
type Key struct {
	Name  string `json:"name"`
	Bytes int    `json:"bytes"`
	// JWT is what the value says of itself, nil where it is no JWT.
	JWT *Token `json:"jwt,omitempty"`
	// Value is there only where it was asked for.
	Value string `json:"value,omitempty"`
}

// Token is what a JWT says of itself.
type Token struct {
	Algorithm string         `json:"algorithm"`
	KeyID     string         `json:"keyID,omitempty"`
	Encrypted bool           `json:"encrypted,omitempty"`
	Claims    map[string]any `json:"claims,omitempty"`
}

// describe reads a Secret, and with it the values only where they are to be shown.
func describe(credential *v1alpha1.OAuthCredential, secret *corev1.Secret, values bool) Report {
	r := Report{
		Namespace: credential.Namespace, Credential: credential.Name, Secret: secret.Name, Type: string(secret.Type),
		RefreshTokenExpiresAt: credential.Status.RefreshTokenExpiresAt,
		Keys:                  []Key{},
	}
	if described, ok := secretstore.Describe(&secret.ObjectMeta); ok {
		r.Described = true
		r.IssuedAt = &metav1.Time{Time: described.Life.IssuedAt}
		if !described.Life.ExpiresAt.IsZero() {
			r.ExpiresAt = &metav1.Time{Time: described.Life.ExpiresAt}
		}
	}
	if len(credential.Spec.Secret.Data) == 0 {
		// Else these keys may hold anything.
		r.TokenType = redact.Message(string(secret.Data[v1alpha1.KeyTokenType]))
		r.Scope = redact.Message(string(secret.Data[v1alpha1.KeyScope]))
	}
	// A claim may repeat the token, or what else the Secret holds.
	secrets := make([]redact.String, 0, len(secret.Data))
	for _, name := range secretKeys(credential, secret) {
		secrets = append(secrets, redact.New(string(secret.Data[name])))
	}
	scrubber := redact.NewScrubber(secrets...)
	for _, name := range slices.Sorted(maps.Keys(secret.Data)) {
		key := Key{Name: name, Bytes: len(secret.Data[name])}
		if values {
			key.Value = string(secret.Data[name])
		}
		if token, ok := parseJWT(string(secret.Data[name])); ok {
			key.JWT = &Token{
				Algorithm: scrubber.Clean(token.Algorithm), KeyID: scrubber.Clean(token.KeyID), Encrypted: token.Encrypted,
			}
			key.JWT.Claims, _ = scrubber.Strip(token.Claims, redact.String{}).(map[string]any)
		}
		r.Keys = append(r.Keys, key)
	}
	return r
}

// secretKeys are the keys whose values are secrets: all but those that describe the
// token, where the credential does not say otherwise.
func secretKeys(credential *v1alpha1.OAuthCredential, secret *corev1.Secret) []string {
	public := []string{v1alpha1.KeyTokenType, v1alpha1.KeyExpiresAt, v1alpha1.KeyScope}
	var keys []string
	for name := range secret.Data {
		if len(credential.Spec.Secret.Data) > 0 || !slices.Contains(public, name) {
			keys = append(keys, name)
		}
	}
	return keys
}
