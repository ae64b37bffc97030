package oauth

import (
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"github.com/tokensync/tokensync/internal/redact"
)

// Method is how a client proves who it is: a token endpoint authentication
// method as registered with IANA (RFC 8414 section 2).
type Method string

// The methods of this client.
const (
	// MethodClientSecretBasic sends ID and secret in an Authorization header
	// (RFC 6749 section 2.3.1).
	MethodClientSecretBasic Method = "client_secret_basic"
	// MethodClientSecretPost sends ID and secret in the body (RFC 6749
	// section 2.3.1).
	MethodClientSecretPost Method = "client_secret_post"
	// MethodNone sends no secret, and the ID in the body if there is one
	// (RFC 6749 section 3.2.1).
	MethodNone Method = "none"
)

// BasicEncoding is what happens to ID and secret before they go into a Basic
// header.
type BasicEncoding string

// The encodings of MethodClientSecretBasic.
const (
	// FormURLEncoded form-encodes them, as RFC 6749 section 2.3.1 demands. It
	// is also the meaning of the empty BasicEncoding.
	FormURLEncoded BasicEncoding = "FormURLEncoded"
	// Raw leaves them as they are (RFC 7617), as many providers expect.
	Raw BasicEncoding = "Raw"
)

// ClientAuthentication is who the client is and how it proves it.
type ClientAuthentication struct {
	// Method has no default.
	Method Method
	// BasicEncoding matters to MethodClientSecretBasic only.
	BasicEncoding BasicEncoding
	// ID is the client_id. MethodNone may do without.
	ID string
	// Secret is the client_secret, which may be empty (RFC 6749 section 2.3.1).
	Secret redact.String
}

// Field is a header or a parameter. Its value counts as a secret.
type Field struct {
	Name  string
	Value redact.String
}

// Request is everything about one token request.
type Request struct {
	// TokenURL is the token endpoint (RFC 6749 section 3.2): an absolute URL
	// without userinfo and fragment.
	TokenURL string
	// Client is who asks.
	Client ClientAuthentication
	// GrantType is the grant_type; where it is empty, none is sent.
	GrantType string
	// Scopes are sent as one parameter (RFC 6749 section 3.3), Audiences
	// (RFC 8693 section 2.1) and Resources (RFC 8707 section 2) as one each.
	Scopes, Audiences, Resources []string
	// Headers are sent as they are. Of the headers that the client sets itself
	// they may replace Accept, User-Agent, and Content-Type by one of the same
	// media type. Authorization is for a client without MethodClientSecretBasic.
	Headers []Field
	// Parameters are sent as they are, in place of all parameters above that
	// have the same name. A client_secret and a client_assertion are refused.
	Parameters []Field
	// Timeout is the longest that the request may take, from the look-up of
	// the host's name to the last byte of the answer's body. 0 or less means
	// 30 s.
	Timeout time.Duration
	// CABundle has the certificates to trust, in PEM. nil means those of the
	// system; an empty one that is not nil is an error.
	CABundle []byte
	// Pool names a set of connections and TLS sessions. Requests share them
	// only where both Pool and CABundle are equal.
	Pool string
}

// Secrets returns everything in the request that must not be shown: the
// client's secret, the values of headers and parameters, and what the URL holds
// besides scheme, host and path.
func (r Request) Secrets() []redact.String {
	id, secret := r.Client.ID, r.Client.Secret.Reveal()
	// The two halves of a Basic header are known together too, so that all of
	// it goes where the secret alone is too short to be looked for.
	secrets := []redact.String{
		r.Client.Secret,
		redact.New(id + ":" + secret),
		redact.New(url.QueryEscape(id) + ":" + url.QueryEscape(secret)),
	}

	for _, header := range r.Headers {
		secrets = append(secrets, headerSecrets(header.Value.Reveal())...)
	}

	for _, parameter := range r.Parameters {
		secrets = append(secrets, parameter.Value)
	}

	return append(secrets, urlSecrets(r.TokenURL)...)
}

// headerSecrets returns the value, and what follows a scheme such as Bearer or
// Basic (RFC 9110 section 11.4), decoded where that is possible.
func headerSecrets(value string) []redact.String {
	secrets := []redact.String{redact.New(value)}

	_, credentials, found := strings.Cut(value, " ")
	if !found {
		return secrets
	}

	credentials = strings.TrimSpace(credentials)
	secrets = append(secrets, redact.New(credentials))

	pair, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return secrets
	}

	_, password, _ := strings.Cut(string(pair), ":")

	return append(secrets, redact.New(string(pair)), redact.New(password))
}

// urlSecrets returns what a URL may hold besides scheme, host and path.
func urlSecrets(raw string) []redact.String {
	u, err := url.Parse(raw)
	if err != nil {
		return nil
	}

	var secrets []redact.String

	if u.User != nil {
		password, _ := u.User.Password()
		secrets = append(secrets, redact.New(u.User.String()), redact.New(password))
	}

	for _, values := range u.Query() {
		for _, value := range values {
			secrets = append(secrets, redact.New(value))
		}
	}

	return append(secrets, redact.New(u.RawQuery), redact.New(u.Fragment))
}
