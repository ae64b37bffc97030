package oauth

import (
	"net/url"
	"strings"
	"unicode"
)

// hint returns what to look at when the endpoint does not know the client.
func (a ClientAuthentication) hint() string {
	switch a.Method {
	case MethodPrivateKeyJWT:
		return a.keyHint()
	case MethodTLSClientAuth:
		return "Check that the subject of the client certificate is registered for the client ID, and that tokenURL is " +
			"the endpoint for client certificates, which often has a host name of its own."
	case MethodSelfSignedTLSClientAuth:
		return "Check that this client certificate, or the key in it, is registered for the client ID, and that tokenURL " +
			"is the endpoint for client certificates, which often has a host name of its own."
	case MethodClientSecretBasic, MethodClientSecretPost, MethodClientSecretJWT, MethodNone:
	}

	return a.secretHint()
}

// keyHint is the hint for private_key_jwt.
func (a ClientAuthentication) keyHint() string {
	if !a.Token.IsEmpty() {
		return "Check that the provider trusts the issuer of the ServiceAccount's tokens, and that it knows the client by " +
			"their subject and by the audience in client.serviceAccount."
	}

	return "Check the client ID, that the public key is registered for it with the same key ID, and the algorithm. " +
		a.audienceHint()
}

// secretHint is the hint for the methods with a client secret, and for none.
func (a ClientAuthentication) secretHint() string {
	secret := a.Secret.Reveal()

	if strings.TrimFunc(secret, unicode.IsSpace) != secret {
		return "The client secret begins or ends with white space, which is sent too: check how it was stored."
	}

	if a.Method == MethodClientSecretJWT {
		return "Check the client ID, the client secret and the algorithm. " + a.audienceHint()
	}

	if a.Method == MethodClientSecretBasic && a.BasicEncoding != Raw &&
		(url.QueryEscape(a.ID) != a.ID || url.QueryEscape(secret) != secret) {
		return "The client ID or secret holds characters that RFC 6749 encodes and this endpoint may want as " +
			"they are: try clientAuthentication.basicEncoding: Raw. Otherwise check the ID and the secret."
	}

	return "Check the client ID, the client secret and clientAuthentication.method."
}

// audienceHint is what to look at in an assertion beside its key.
func (a ClientAuthentication) audienceHint() string {
	if a.Audience == "" {
		return "The assertion is meant for tokenURL: if the provider wants its issuer or another name there, " +
			"set clientAuthentication.assertion.audience."
	}

	return "Check clientAuthentication.assertion.audience too: providers want their issuer or the token URL there."
}
