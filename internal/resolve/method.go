package resolve

import (
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/tokensync/tokensync/api/v1alpha1"
	"github.com/tokensync/tokensync/internal/oauth"
)

// chooseMethod finds out how the client authenticates: as it says itself, else as its
// provider says, else as follows from its key; and whether it has what that needs.
func (p *Plan) chooseMethod() error {
	p.authentication = p.Endpoint.ClientAuthentication
	if !equality.Semantic.DeepEqual(p.client.Authentication, v1alpha1.ClientAuthentication{}) {
		p.authentication = p.client.Authentication
	}
	p.Method = oauth.Method(p.authentication.Method)
	if p.Method == "" {
		p.Method = methodOf(&p.client)
	}
	need, ok := clientFits(p.Method, &p.client)
	if ok {
		return nil
	}
	if p.SharesClient() && p.hidden() != "" {
		return incompatible("the client of the %s does not fit its client authentication method"+askAdministrator, p.Provider)
	}
	if p.Provider == nil || p.SharesClient() {
		return incompatible("the client authentication method %s %s: change the client, or %s", p.Method, need, p.providerField("clientAuthentication.method"))
	}
	return incompatible("the %s wants clients to authenticate by %s, which %s: change spec.client, or set spec.client.authentication",
		p.Provider, p.Method, need)
}

// methodOf is the method that follows from the key that a client has.
func methodOf(client *v1alpha1.Client) oauth.Method {
	switch {
	case client.SecretRef != nil:
		return oauth.MethodClientSecretBasic
	case client.PrivateKeyRef != nil, client.ServiceAccount != nil:
		return oauth.MethodPrivateKeyJWT
	case client.CertificateRef != nil:
		return oauth.MethodTLSClientAuth
	default:
		return oauth.MethodNone
	}
}

// clientFits tells whether a client has what a method needs; if not, need says what
// that is.
func clientFits(method oauth.Method, client *v1alpha1.Client) (need string, ok bool) {
	keyless := client.SecretRef == nil && client.PrivateKeyRef == nil && client.CertificateRef == nil && client.ServiceAccount == nil
	switch method {
	case oauth.MethodClientSecretBasic, oauth.MethodClientSecretPost, oauth.MethodClientSecretJWT:
		return "needs client.secretRef", client.SecretRef != nil
	case oauth.MethodPrivateKeyJWT:
		return "needs client.privateKeyRef, client.certificateRef or client.serviceAccount",
			client.PrivateKeyRef != nil || client.CertificateRef != nil || client.ServiceAccount != nil
	case oauth.MethodTLSClientAuth, oauth.MethodSelfSignedTLSClientAuth:
		return "needs client.certificateRef", client.CertificateRef != nil
	case oauth.MethodNone:
		return "sends neither secret, key nor certificate", keyless
	}
	return "is not known", false
}
