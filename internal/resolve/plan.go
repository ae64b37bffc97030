package resolve

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
)

// Plan is a credential joined with its provider: all that shapes its token requests,
// and no secret's value.
type Plan struct {
	// Endpoint is the provider's, with the variables of its URLs filled in.
	Endpoint v1alpha1.Endpoint
	// Method is how the client authenticates.
	Method oauth.Method
	// Provider is nil where the credential names its endpoint itself.
	Provider *Provider
	// HoldsSecret says that the provider holds a secret which the credential's owner
	// may not see.
	HoldsSecret bool

	credential     *v1alpha1.OAuthCredential
	client         v1alpha1.Client
	authentication v1alpha1.ClientAuthentication
	// steered says that the credential chose the authority of the endpoint.
	steered bool
	// bare says that there is no credential: it is the provider's own owner who is told.
	bare bool
}

// SpecError says that no token request can be made of a credential and its provider
// as they stand.
type SpecError struct {
	// Reason is the reason of the condition.
	Reason  string
	message string
}

// Error says what to change. It names nothing of the provider that the credential's
// owner may not see.
func (e *SpecError) Error() string { return e.message }

func incompatible(format string, arguments ...any) *SpecError {
	return &SpecError{Reason: v1alpha1.ReasonIncompatibleProvider, message: fmt.Sprintf(format, arguments...)}
}

// Join joins a credential with the provider that it refers to, nil where it names its
// endpoint itself. Every error is a *SpecError.
func Join(credential *v1alpha1.OAuthCredential, provider *Provider) (*Plan, error) {
	plan := &Plan{credential: credential, client: credential.Spec.Client, Provider: provider}
	switch {
	case provider != nil:
		plan.Endpoint = provider.Spec.Endpoint
		plan.HoldsSecret = HoldsSecret(provider.Spec)
	case credential.Spec.Provider != nil:
		plan.Endpoint = *credential.Spec.Provider
	default:
		return nil, incompatible("the credential names no provider: set spec.provider or spec.providerRef")
	}
	if plan.HoldsSecret {
		if err := allow(&credential.Spec, provider); err != nil {
			return nil, err
		}
	}
	if provider != nil && provider.Spec.Client != nil {
		plan.client = *provider.Spec.Client
	}
	if err := plan.fillIn(); err != nil {
		return nil, err
	}
	if err := plan.chooseMethod(); err != nil {
		return nil, err
	}
	return plan, nil
}

// fillIn fills the variables into the URLs (RFC 6570 section 3.2.2).
func (p *Plan) fillIn() error {
	variables := p.variables()
	for _, field := range []struct {
		name string
		url  *v1alpha1.EndpointURL
	}{
		{"tokenURL", &p.Endpoint.TokenURL},
		{"issuer", &p.Endpoint.Issuer},
		{"authorizationURL", &p.Endpoint.AuthorizationURL},
		{"deviceAuthorizationURL", &p.Endpoint.DeviceAuthorizationURL},
		{"revocationURL", &p.Endpoint.RevocationURL},
	} {
		filled, inAuthority, missing := expand(string(*field.url), variables)
		if missing != "" {
			return incompatible("the %s of the %s needs the variable %q: set spec.providerRef.variables.%s", field.name, p.Provider, missing, missing)
		}
		*field.url = v1alpha1.EndpointURL(filled)
		p.steered = p.steered || inAuthority
	}
	return nil
}

func (p *Plan) variables() map[string]v1alpha1.VariableValue {
	if p.credential.Spec.ProviderRef == nil {
		return nil
	}
	return p.credential.Spec.ProviderRef.Variables
}

// expand fills a template, and tells whether there was a variable in its authority,
// and the name of one that has no value.
func expand(template string, variables map[string]v1alpha1.VariableValue) (filled string, inAuthority bool, missing string) {
	var b strings.Builder
	rest := template
	for {
		before, after, found := strings.Cut(rest, "{")
		b.WriteString(before)
		if !found {
			return b.String(), inAuthority, ""
		}
		name, tail, _ := strings.Cut(after, "}")
		value, ok := variables[name]
		if !ok {
			return "", false, name
		}
		// The authority ends at the third slash.
		inAuthority = inAuthority || strings.Count(b.String(), "/") < 3
		b.WriteString(string(value))
		rest = tail
	}
}

// Line is the key under which token requests share limits and troubles: the provider
// and the authority that it is asked at, and the namespace, where that chose them.
func (p *Plan) Line() string {
	authority := ""
	if endpoint, err := url.Parse(string(p.Endpoint.TokenURL) + string(p.Endpoint.Issuer)); err == nil {
		authority = endpoint.Host
	}
	switch {
	case p.Provider == nil:
		return p.credential.Namespace + "/" + authority
	case p.steered:
		return string(p.Provider.UID) + "/" + p.credential.Namespace + "/" + authority
	default:
		return string(p.Provider.UID) + "/" + authority
	}
}

// pool is the key under which requests share connections.
func (p *Plan) pool() string {
	if p.Provider.isCluster() {
		return "cluster/" + string(p.Provider.UID)
	}
	return p.credential.Namespace
}

// ClientKey identifies the client at its provider, without naming it: what one is
// refused, others may be granted.
func (p *Plan) ClientKey() string {
	return hash(struct {
		Namespace string
		Client    v1alpha1.Client
	}{p.clientNamespace(), p.client})
}

// ExclusiveToken identifies the token that the credential asks for, where a new one ends
// the one before; empty where tokens live side by side.
func (p *Plan) ExclusiveToken() string {
	if p.Endpoint.TokenReissue != v1alpha1.ReissueReplaces {
		return ""
	}
	client := p.ClientKey()
	if p.client.ID != "" {
		client = p.client.ID // It is the same client, whoever keeps its secret.
	}
	return hash([]any{p.Endpoint.TokenURL, p.Endpoint.Issuer, client, slices.Sorted(slices.Values(p.credential.Spec.Scopes))})
}

// SharesClient tells whether all credentials of the provider use the same client.
func (p *Plan) SharesClient() bool {
	return p.Provider != nil && p.Provider.Spec.Client != nil
}

// clientNamespace is where the client's Secrets are.
func (p *Plan) clientNamespace() string {
	if p.SharesClient() {
		return p.Provider.Namespace
	}
	return p.credential.Namespace
}

// providerNamespace is where the objects are that the endpoint names.
func (p *Plan) providerNamespace() string {
	if p.Provider != nil {
		return p.Provider.Namespace
	}
	return p.credential.Namespace
}

// providerField is the name of a field of the endpoint, as the owner of the
// credential finds it.
func (p *Plan) providerField(name string) string {
	if p.bare {
		return "spec." + name
	}
	if p.Provider != nil {
		return "spec." + name + " of the " + p.Provider.String()
	}
	return "spec.provider." + name
}

// clientField is the name of a field of the client.
func (p *Plan) clientField(name string) string {
	if p.SharesClient() && !p.bare {
		return "spec.client." + name + " of the " + p.Provider.String()
	}
	return "spec.client." + name
}

// Limits bound the requests to the provider.
func (p *Plan) Limits() v1alpha1.Limits {
	if p.Provider == nil || p.Provider.Spec.Limits == nil {
		return v1alpha1.Limits{}
	}
	return *p.Provider.Spec.Limits
}

// ClusterProvider is the name of the ClusterOAuthProvider, empty where it is not one.
func (p *Plan) ClusterProvider() string {
	if p.Provider.isCluster() {
		return p.Provider.Name
	}
	return ""
}

// NewSpecError makes a SpecError of a reason and a message for the credential's owner.
func NewSpecError(reason, message string) *SpecError {
	return &SpecError{Reason: reason, message: message}
}
