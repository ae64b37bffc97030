package resolve

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/api/v1alpha1"
)

// Line is the key under which token requests share limits and troubles: the provider
// and the authority that it is asked at, and the namespace, where that chose them or the
// issuer.
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

// SharesLine tells whether credentials of several namespaces may have the same line.
func (p *Plan) SharesLine() bool { return p.Provider.isCluster() && !p.steered }

// pool is the key under which requests share connections. No namespace has a slash in
// its name.
func (p *Plan) pool() string {
	if p.Provider.isCluster() {
		return "cluster/" + string(p.Provider.UID)
	}
	return p.credential.Namespace
}

// ClientKey identifies the client at its provider, without naming it: what one is
// refused, others may be granted. It is the same client wherever its key is, and however
// it proves who it is. That an id is the same in two namespaces means nothing, because
// anyone can name one.
func (p *Plan) ClientKey() string {
	owner := p.credential.Namespace
	if p.SharesClient() {
		owner = "provider/" + string(p.Provider.UID) // No namespace has a slash in its name.
	}
	client := v1alpha1.Client{ID: p.client.ID, IDRef: p.client.IDRef}
	if client.ID == "" && client.IDRef == nil {
		client.ServiceAccount = p.client.ServiceAccount
	}
	return hash([]any{owner, client})
}

// ExclusiveToken identifies the token that the credential asks for, where a new one ends
// the one before; empty where tokens live side by side. Credentials of several namespaces
// ask for the same one only by a client that their provider holds. What tells them apart
// there is what the provider lets them choose.
func (p *Plan) ExclusiveToken() string {
	if p.Endpoint.TokenReissue != v1alpha1.ReissueReplaces || p.KeepsGrant() {
		return "" // Of two persons each has a token of their own.
	}
	var chosen map[string]v1alpha1.VariableValue
	if p.SharesClient() && len(p.variables()) > 0 {
		chosen = p.variables() // Expressions may put them into the request.
	}
	return hash([]any{
		p.Endpoint.TokenURL, p.Endpoint.Issuer, p.ClientKey(), slices.Sorted(slices.Values(p.credential.Spec.Scopes)), chosen,
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
