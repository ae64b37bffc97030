package resolve

import (
	"context"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
)

// Probe tells whether credentials can use a provider: its expressions compile, the
// objects that it names are there, its client has what its method needs, and its
// issuer can be found. It answers the token endpoint that the issuer names, if there
// is an issuer. Errors are those of Resolve, told to the owner of the provider.
func (r Resolver) Probe(ctx context.Context, provider *Provider) (tokenURL string, err error) {
	plan := &Plan{
		Endpoint:    provider.Spec.Endpoint,
		Method:      oauth.Method(provider.Spec.ClientAuthentication.Method),
		Provider:    provider,
		HoldsSecret: HoldsSecret(provider.Spec),
		credential:  &v1alpha1.OAuthCredential{},
		bare:        true,
	}
	if err := plan.checkNamespace(); err != nil {
		return "", err
	}
	if err := plan.Check(r.Expressions); err != nil {
		return "", err
	}
	b := r.builder(plan, Grant{})
	var request oauth.Request
	if request.CABundle, err = b.bundle(ctx); err != nil {
		return "", err
	}
	for _, entry := range append(plan.headers(), plan.parameters()...) {
		if entry.ValueFrom == nil {
			continue
		}
		if _, err := b.objects.key(ctx, &entry.ValueFrom.SecretKeyRef, entry.at); err != nil {
			return "", err
		}
	}
	if provider.Spec.Client != nil {
		plan.client = *provider.Spec.Client
	}
	if plan.SharesClient() {
		if err := plan.chooseMethod(); err != nil {
			return "", err
		}
		if request.Client, err = b.client(ctx); err != nil {
			return "", err
		}
	}
	if strings.Contains(string(plan.Endpoint.Issuer), "{") {
		return "", nil // Each credential has an issuer of its own.
	}
	request.Pool = plan.pool()
	err = b.discover(ctx, &request)
	return request.TokenURL, err
}
