package resolve

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// inputs is what shapes a token: two specs with equal inputs would be given equal
// tokens. It holds references, never a secret's value. Every field is left out
// while it is empty, so that a field added later changes no hash.
type inputs struct {
	TokenURL             string                        `json:"tokenURL,omitempty"`
	ClientAuthentication v1alpha1.ClientAuthentication `json:"clientAuthentication,omitzero"`
	ProviderRequest      v1alpha1.RequestAdditions     `json:"providerRequest,omitzero"`
	Lifetime             v1alpha1.Lifetime             `json:"lifetime,omitzero"`
	GrantType            v1alpha1.GrantType            `json:"grantType,omitempty"`
	Client               v1alpha1.Client               `json:"client,omitzero"`
	Scopes               []string                      `json:"scopes,omitempty"`
	Audiences            []string                      `json:"audiences,omitempty"`
	Resources            []string                      `json:"resources,omitempty"`
	Request              v1alpha1.RequestAdditions     `json:"request,omitzero"`
}

// InputsHash is a hash of all in a spec that shapes the token. A token with
// another hash is replaced.
func InputsHash(spec *v1alpha1.OAuthCredentialSpec) string {
	encoded, err := json.Marshal(inputs{
		TokenURL:             spec.Provider.TokenURL,
		ClientAuthentication: spec.Provider.ClientAuthentication,
		ProviderRequest:      spec.Provider.Request,
		Lifetime:             spec.Provider.Lifetime,
		GrantType:            spec.GrantType,
		Client:               spec.Client,
		Scopes:               spec.Scopes,
		Audiences:            spec.Audiences,
		Resources:            spec.Resources,
		Request:              spec.Request,
	})
	if err != nil {
		// Strings, numbers and durations always encode.
		panic(err)
	}
	const size = 16 // bytes
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:size])
}

// merge answers the base entries with those of the same key replaced, whole and
// in place, and then the entries that the base does not have.
func merge[T any](base, over []T, key func(T) string) []T {
	merged := make([]T, 0, len(base)+len(over))
	position := map[string]int{}
	for _, entry := range append(append([]T{}, base...), over...) {
		if at, ok := position[key(entry)]; ok {
			merged[at] = entry
			continue
		}
		position[key(entry)] = len(merged)
		merged = append(merged, entry)
	}
	return merged
}

func compareVersions(a, b v1alpha1.SourceVersion) int {
	return strings.Compare(string(a.Kind)+"/"+a.Name, string(b.Kind)+"/"+b.Name)
}
