package resolve

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// inputs is what shapes a token: two plans with equal inputs would be given equal
// tokens. It holds references, never a secret's value. Every field is left out
// while it is empty, so that a field added later changes no hash.
type inputs struct {
	TokenURL             v1alpha1.EndpointURL              `json:"tokenURL,omitempty"`
	Issuer               v1alpha1.EndpointURL              `json:"issuer,omitempty"`
	ClientAuthentication v1alpha1.ClientAuthentication     `json:"clientAuthentication,omitzero"`
	ProviderRequest      v1alpha1.ProviderRequest          `json:"providerRequest,omitzero"`
	ProviderNamespace    string                            `json:"providerNamespace,omitempty"`
	Response             v1alpha1.Response                 `json:"response,omitzero"`
	Lifetime             v1alpha1.Lifetime                 `json:"lifetime,omitzero"`
	GrantType            v1alpha1.GrantType                `json:"grantType,omitempty"`
	JWTBearer            *v1alpha1.JWTBearer               `json:"jwtBearer,omitempty"`
	TokenExchange        *v1alpha1.TokenExchange           `json:"tokenExchange,omitempty"`
	Password             *v1alpha1.Password                `json:"password,omitempty"`
	Client               v1alpha1.Client                   `json:"client,omitzero"`
	Variables            map[string]v1alpha1.VariableValue `json:"variables,omitempty"`
	Scopes               []string                          `json:"scopes,omitempty"`
	Audiences            []string                          `json:"audiences,omitempty"`
	Resources            []string                          `json:"resources,omitempty"`
	Request              v1alpha1.RequestAdditions         `json:"request,omitzero"`
	// Data is there because what it leaves out of the Secret cannot be had again.
	Data map[string]v1alpha1.Expression `json:"data,omitempty"`
}

// InputsHash is a hash of all that shapes the token. A token with another hash is
// replaced.
func (p *Plan) InputsHash() string { return hash(p.inputs()) }

// AnswerHash is a hash of all that shapes an answer. Where answers are kept, what is
// made of one can be made anew.
func (p *Plan) AnswerHash() string {
	in := p.inputs()
	in.Data = nil
	return hash(in)
}

func (p *Plan) inputs() inputs {
	spec := &p.credential.Spec
	in := inputs{
		TokenURL:             p.Endpoint.TokenURL,
		Issuer:               p.Endpoint.Issuer,
		ClientAuthentication: p.authentication,
		ProviderRequest:      p.Endpoint.Request,
		Response:             p.Endpoint.Response,
		Lifetime:             p.Endpoint.Lifetime,
		GrantType:            spec.GrantType,
		JWTBearer:            spec.JWTBearer,
		TokenExchange:        spec.TokenExchange,
		Password:             spec.Password,
		Client:               p.client,
		Variables:            p.variables(),
		Scopes:               spec.Scopes,
		Audiences:            spec.Audiences,
		Resources:            spec.Resources,
		Request:              spec.Request,
		Data:                 spec.Secret.Data,
	}
	in.Lifetime.RefreshToken = v1alpha1.RefreshTokenLifetime{} // It is no token's.
	if namespace := p.providerNamespace(); p.HoldsSecret && namespace != p.credential.Namespace {
		in.ProviderNamespace = namespace
	}
	return in
}

// Terms is a hash of all that a request is made from and sent by, and not only of what
// shapes its token, which inputsHash stands for: a request by other terms may end
// otherwise.
func (p *Plan) Terms(inputsHash string) string {
	terms := []any{inputsHash, p.Endpoint, p.Limits()}
	if p.Provider != nil {
		terms = append(terms, p.Provider.UID, p.Provider.Spec.AllowedAuthorities)
	}
	return hash(terms)
}

// hash is a hash of something that always encodes.
func hash(of any) string {
	encoded, err := json.Marshal(of)
	if err != nil {
		// Strings, numbers and durations always encode.
		panic(err)
	}
	const size = 16 // bytes
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:size])
}
