package resolve

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// defaultRedirectURI is where a browser is sent back to where nothing else is declared:
// a free port of the loopback interface (RFC 8252 section 7.3).
const defaultRedirectURI = "http://127.0.0.1/callback"

// Authorization is what a login needs to know of a plan.
type Authorization struct {
	// Request is that to the authorization endpoint. RedirectURI may lack a port; State
	// and CodeChallenge are left to the caller.
	Request oauth.AuthorizationRequest
	// TokenURL is where the code is exchanged.
	TokenURL string
	// Issuer is who answers, where that is known, and IssuerRequired says that its
	// answers say so (RFC 9207).
	Issuer         string
	IssuerRequired bool
}

// Authorization works out the authorization request of a plan (RFC 6749 section
// 4.1.1). It reads no secret of the client. Its errors are those of Resolve.
func (r Resolver) Authorization(ctx context.Context, plan *Plan) (*Authorization, error) {
	b := r.builder(plan, Grant{})
	id, err := b.clientID(ctx)
	if err != nil {
		return nil, err
	}
	bundle, err := b.bundle(ctx)
	if err != nil {
		return nil, err
	}
	found, err := b.endpoints(ctx, bundle)
	if err != nil {
		return nil, err
	}
	if found.authorization == "" {
		return nil, plan.lacks("authorization endpoint", "authorizationURL")
	}
	spec, redirectURI := &plan.credential.Spec, defaultRedirectURI
	parameters := maps.Clone(plan.Endpoint.AuthorizationParameters)
	if declared := spec.AuthorizationCode; declared != nil {
		redirectURI = cmp.Or(declared.RedirectURI, redirectURI)
		if parameters == nil {
			parameters = map[string]v1alpha1.AuthorizationParameter{}
		}
		maps.Copy(parameters, declared.Parameters)
	}
	return &Authorization{
		Request: oauth.AuthorizationRequest{
			AuthorizationURL: found.authorization,
			ClientID:         id,
			RedirectURI:      redirectURI,
			Scopes:           spec.Scopes,
			ScopeSeparator:   plan.Endpoint.Request.ScopeSeparator,
			Audiences:        spec.Audiences,
			Resources:        spec.Resources,
			Parameters:       fieldsOf(parameters),
		},
		TokenURL:       found.token,
		Issuer:         found.issuer,
		IssuerRequired: found.issuerRequired,
	}, nil
}

func fieldsOf(parameters map[string]v1alpha1.AuthorizationParameter) []oauth.Field {
	fields := make([]oauth.Field, 0, len(parameters))
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		fields = append(fields, oauth.Field{Name: name, Value: redact.New(string(parameters[name])), Public: true})
	}
	return fields
}

// DeviceAuthorization makes the request to the device authorization endpoint (RFC 8628
// section 3.1). Its errors are those of Resolve.
func (r Resolver) DeviceAuthorization(ctx context.Context, plan *Plan) (oauth.Request, error) {
	request, found, err := r.aside(ctx, plan)
	if err != nil {
		return request, err
	}
	if found.device == "" {
		return request, plan.lacks("device authorization endpoint", "deviceAuthorizationURL")
	}
	spec := &plan.credential.Spec
	request.Scopes, request.Audiences = spec.Scopes, spec.Audiences
	request.TokenURL = found.device
	return request, plan.checkDiscovered(found.device, plan.Endpoint.DeviceAuthorizationURL)
}

// Revocation makes the request to the revocation endpoint (RFC 7009 section 2.1). It
// answers false where the provider has none. Its errors are those of Resolve.
func (r Resolver) Revocation(ctx context.Context, plan *Plan) (request oauth.Request, ok bool, err error) {
	request, found, err := r.aside(ctx, plan)
	if err != nil {
		return request, false, err
	}
	request.TokenURL = found.revocation
	return request, found.revocation != "", plan.checkDiscovered(found.revocation, plan.Endpoint.RevocationURL)
}

// aside makes a request of a plan's client to another endpoint than that for tokens.
func (r Resolver) aside(ctx context.Context, plan *Plan) (oauth.Request, endpoints, error) {
	b := r.builder(plan, Grant{})
	request, err := b.build(ctx)
	if err != nil {
		return request, endpoints{}, err
	}
	// An assertion is for the authorization server, whichever endpoint it is sent to
	// (RFC 7523 section 3).
	request.Client.Audience = cmp.Or(request.Client.Audience, request.TokenURL)
	request.GrantType, request.Grant, request.Assertion = "", nil, nil
	found, err := b.endpoints(ctx, request.CABundle)
	return request, found, err
}

// endpoints are those of a provider beside its token endpoint, empty where it has none.
type endpoints struct {
	token, authorization, device, revocation string
	issuer                                   string
	issuerRequired                           bool
}

// endpoints finds them in the provider's spec and, where that names none, in the
// metadata of its issuer. bundle are the certificates to trust, in PEM.
func (b *builder) endpoints(ctx context.Context, bundle []byte) (endpoints, error) {
	declared := &b.plan.Endpoint
	found := endpoints{
		token:         string(declared.TokenURL),
		authorization: string(declared.AuthorizationURL),
		device:        string(declared.DeviceAuthorizationURL),
		revocation:    string(declared.RevocationURL),
	}
	metadata, err := b.metadata(ctx, &oauth.Request{CABundle: bundle, Pool: b.plan.pool()})
	if err != nil || metadata == nil {
		return found, err
	}
	found.token = b.plan.tokenEndpoint(metadata)
	found.issuer, found.issuerRequired = metadata.Issuer, metadata.AuthorizationResponseIssParameterSupported
	found.authorization = cmp.Or(found.authorization, metadata.AuthorizationEndpoint)
	found.device = cmp.Or(found.device, metadata.DeviceAuthorizationEndpoint)
	found.revocation = cmp.Or(found.revocation, metadata.RevocationEndpoint)
	return found, b.plan.checkAuthority(found.token)
}

// checkEndpoints refuses a provider that certainly lacks an endpoint which the
// credential needs beside the one for tokens. What an issuer has is known only later.
func (p *Plan) checkEndpoints() error {
	endpoint, spec := &p.Endpoint, &p.credential.Spec
	switch {
	case endpoint.Issuer != "":
		return nil
	case spec.GrantType == v1alpha1.GrantAuthorizationCode && endpoint.AuthorizationURL == "":
		return p.lacks("authorization endpoint", "authorizationURL")
	case spec.GrantType == v1alpha1.GrantDeviceCode && endpoint.DeviceAuthorizationURL == "":
		return p.lacks("device authorization endpoint", "deviceAuthorizationURL")
	case spec.RevocationPolicy == v1alpha1.RevocationOnDelete && endpoint.RevocationURL == "":
		return p.lacks("revocation endpoint, which spec.revocationPolicy asks for", "revocationURL")
	}
	return nil
}

func (p *Plan) lacks(endpoint, field string) *SpecError {
	return incompatible("the provider has no %s: set %s, or its issuer", endpoint, p.providerField(field))
}

// MayLogin tells whether a person may be able to log in by a browser or a device: the
// provider names the endpoint for that, or an issuer that may. A plan that is not known
// may.
func (p *Plan) MayLogin() bool {
	return p == nil || p.Endpoint.Issuer != "" || p.Endpoint.AuthorizationURL != "" || p.Endpoint.DeviceAuthorizationURL != ""
}

// checkDiscovered refuses an endpoint where a provider's secret may not be sent, unless
// its provider names it.
func (p *Plan) checkDiscovered(endpoint string, declared v1alpha1.EndpointURL) error {
	if declared != "" || endpoint == "" {
		return nil
	}
	return p.checkAuthority(endpoint)
}
