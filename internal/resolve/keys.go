package resolve

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Line is the key under which token requests share limits and troubles: the provider
// and the authority that it is asked at, and the namespace, where that chose them.
func (p *Plan) Line() string {
	parts := []string{"inline", p.credential.Namespace}
	switch {
	case p.steered:
		parts = []string{"provider", string(p.Provider.UID), p.credential.Namespace}
	case p.Provider != nil:
		parts = []string{"provider", string(p.Provider.UID)}
	}
	return strings.Join(append(parts, authorityOf(string(p.Endpoint.TokenURL+p.Endpoint.Issuer))), "/")
}

// pool is the key under which requests share connections. No namespace has a slash in
// its name.
func (p *Plan) pool() string {
	if p.Provider.isCluster() {
		return "cluster/" + string(p.Provider.UID)
	}
	return p.credential.Namespace
}

// ClientKey identifies the client at its provider, without naming it: what one is
// refused, others may be granted.
func (p *Plan) ClientKey() string {
	client := p.client
	client.Authentication = v1alpha1.ClientAuthentication{} // It is the same client, however it proves that.
	return hash(struct {
		Namespace string
		Client    v1alpha1.Client
	}{p.clientNamespace(), client})
}

// ExclusiveToken identifies the token that the credential asks for, where a new one ends
// the one before; empty where tokens live side by side. Credentials of several namespaces
// ask for the same one only by a client that their provider holds: an id that a
// namespace merely names proves nothing.
func (p *Plan) ExclusiveToken() string {
	if p.Endpoint.TokenReissue != v1alpha1.ReissueReplaces {
		return ""
	}
	client := p.ClientKey()
	if p.client.ID != "" {
		client = p.client.ID // It is the same client, wherever its secret is.
	}
	owner := p.credential.Namespace
	if p.SharesClient() {
		owner = string(p.Provider.UID)
	}
	return hash([]any{
		p.Endpoint.TokenURL, p.Endpoint.Issuer, owner, client, slices.Sorted(slices.Values(p.credential.Spec.Scopes)),
	})
}

// authorityOf is the host and the port of a URL in one form (RFC 3986 section 3.2);
// empty where there is none.
func authorityOf(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil || parsed.Host == "" {
		return ""
	}
	port := parsed.Port()
	switch {
	case port != "":
	case parsed.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(parsed.Hostname()), port)
}
