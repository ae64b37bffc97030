package resolve

import (
	"context"
	"net/url"
	"slices"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
)

// discover fills in what the issuer's metadata say, where there is an issuer.
func (b *builder) discover(ctx context.Context, request *oauth.Request) error {
	b.audience = string(b.plan.Endpoint.Issuer)
	if request.Client.Audience == "" {
		request.Client.Audience = b.audience
	}
	if b.plan.Endpoint.Issuer == "" {
		return nil
	}
	b.issuer = &oauth.MetadataRequest{
		Issuer:   string(b.plan.Endpoint.Issuer),
		CABundle: request.CABundle,
		Pool:     request.Pool,
		Timeout:  request.Timeout,
	}
	metadata, err := b.Issuers.Metadata(ctx, *b.issuer)
	if err != nil {
		return err
	}
	request.TokenURL = TokenURL(metadata, b.plan.Method)
	if b.plan.HoldsSecret {
		return CheckAuthority(b.plan.Provider, &b.plan.Endpoint, request.TokenURL)
	}
	return nil
}

// TokenURL is the token endpoint for clients of a method: those that present a
// certificate may have one of their own (RFC 8705 section 5).
func TokenURL(metadata *oauth.Metadata, method oauth.Method) string {
	mutual := method == oauth.MethodTLSClientAuth || method == oauth.MethodSelfSignedTLSClientAuth
	if mutual && metadata.MTLSTokenEndpoint != "" {
		return metadata.MTLSTokenEndpoint
	}
	return metadata.TokenEndpoint
}

// CheckAuthority tells whether a provider that holds a secret may send it to a token
// endpoint that was discovered: only to the issuer's own host, and to those that the
// provider lists.
func CheckAuthority(provider *Provider, endpoint *v1alpha1.Endpoint, tokenURL string) error {
	authority := authorityOf(tokenURL)
	if authority == authorityOf(string(endpoint.Issuer)) || slices.Contains(provider.Spec.AllowedAuthorities, authority) {
		return nil
	}
	message := "the metadata of the issuer name a token endpoint on another host, and the " + provider.String() +
		" holds a secret: its administrator has to allow that host"
	if !provider.isCluster() {
		message = "the metadata of the issuer name a token endpoint at " + shorten(authority) + ", and the " + provider.String() +
			" holds a secret: if it belongs there, add that host to spec.allowedAuthorities"
	}
	return &SpecError{Reason: v1alpha1.ReasonIncompatibleProvider, message: message}
}

func authorityOf(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return parsed.Host
}
