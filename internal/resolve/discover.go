package resolve

import (
	"context"
	"slices"

	"github.com/tokensync/tokensync/internal/oauth"
	"github.com/tokensync/tokensync/internal/redact"
)

// discover fills in what the issuer's metadata say, where there is an issuer.
func (b *builder) discover(ctx context.Context, request *oauth.Request) error {
	b.audience = string(b.plan.Endpoint.Issuer)
	if request.Client.Audience == "" {
		request.Client.Audience = b.audience
	}
	metadata, err := b.metadata(ctx, request)
	if err != nil || metadata == nil {
		return err
	}
	request.TokenURL = b.plan.tokenEndpoint(metadata)
	return b.plan.checkAuthority(request.TokenURL)
}

// metadata are those of the issuer, nil where there is none.
func (b *builder) metadata(ctx context.Context, request *oauth.Request) (*oauth.Metadata, error) {
	if b.plan.Endpoint.Issuer == "" {
		return nil, nil //nolint:nilnil // No issuer is no error.
	}
	b.issuer = &oauth.MetadataRequest{
		Issuer:   string(b.plan.Endpoint.Issuer),
		CABundle: request.CABundle,
		Pool:     request.Pool,
		Timeout:  request.Timeout,
	}
	return b.Issuers.Metadata(ctx, *b.issuer)
}

// tokenEndpoint is the token endpoint for the plan's method: clients that present a
// certificate may have one of their own (RFC 8705 section 5).
func (p *Plan) tokenEndpoint(metadata *oauth.Metadata) string {
	mutual := p.Method == oauth.MethodTLSClientAuth || p.Method == oauth.MethodSelfSignedTLSClientAuth
	if mutual && metadata.MTLSTokenEndpoint != "" {
		return metadata.MTLSTokenEndpoint
	}
	return metadata.TokenEndpoint
}

// checkAuthority refuses an endpoint that was discovered where a provider's secret
// may not be sent: it goes to the issuer's own host, and to those that the provider lists.
func (p *Plan) checkAuthority(endpoint string) error {
	if !p.HoldsSecret {
		return nil
	}
	authority := authorityOf(endpoint)
	allowed := []string{authorityOf(string(p.Endpoint.Issuer))}
	for _, host := range p.Provider.Spec.AllowedAuthorities {
		allowed = append(allowed, authorityOf("https://"+host))
	}
	switch {
	case authority != "" && slices.Contains(allowed, authority):
		return nil
	case p.hidden() != "":
		return incompatible("the metadata of the issuer name an endpoint on another host, and the %s holds a secret"+
			askAdministrator, p.Provider)
	default:
		return incompatible("the metadata of the issuer name an endpoint at %s, and the %s holds a secret: "+
			"if it belongs there, add that host to spec.allowedAuthorities", redact.Message(authority), p.Provider)
	}
}
