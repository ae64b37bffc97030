package oauth

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// clockTolerance is what the clocks of client and endpoint may differ by without
// harm to an assertion.
const clockTolerance = 30 * time.Second

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

	if a.Method == MethodClientSecretBasic && a.BasicEncoding == Raw &&
		(url.QueryEscape(a.ID) != a.ID || url.QueryEscape(secret) != secret) {
		return "The client ID or secret holds characters that this endpoint may want encoded, as RFC 6749 has it: try " +
			"clientAuthentication.basicEncoding: FormURLEncoded. Otherwise check the ID and the secret."
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

// clockHint returns what to look at first where an assertion was signed by a clock
// that is not that of the endpoint; nothing where the two agree. How far they are
// apart changes from one attempt to the next.
func (x *exchange) clockHint(header http.Header) string {
	date, err := http.ParseTime(header.Get("Date"))

	switch {
	case err != nil || len(x.request.signed) == 0:
		return ""
	case date.Sub(x.received) > clockTolerance:
		return "The clock here is behind that of the endpoint, so that assertions look expired: correct it. "
	case x.received.Sub(date) > clockTolerance:
		return "The clock here is ahead of that of the endpoint, so that assertions look as if made in the future: correct it. "
	default:
		return ""
	}
}
