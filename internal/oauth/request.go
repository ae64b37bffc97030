package oauth

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/tokensync/tokensync/internal/assertion"
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
	// MethodClientSecretPost sends ID and secret as parameters (RFC 6749
	// section 2.3.1).
	MethodClientSecretPost Method = "client_secret_post"
	// MethodClientSecretJWT sends an assertion whose key is the secret (OpenID
	// Connect Core section 9, RFC 7523 section 2.2).
	MethodClientSecretJWT Method = "client_secret_jwt"
	// MethodPrivateKeyJWT sends an assertion that a private key signed (OpenID
	// Connect Core section 9, RFC 7523 section 2.2).
	MethodPrivateKeyJWT Method = "private_key_jwt"
	// MethodTLSClientAuth sends the ID as a parameter over a connection with a
	// client certificate of an authority (RFC 8705 section 2.1).
	MethodTLSClientAuth Method = "tls_client_auth"
	// MethodSelfSignedTLSClientAuth is the same with a certificate that is
	// registered itself (RFC 8705 section 2.2).
	MethodSelfSignedTLSClientAuth Method = "self_signed_tls_client_auth"
	// MethodNone sends no secret, and the ID as a parameter if there is one
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

// BodyFormat is how the parameters of a request are sent.
type BodyFormat string

// The formats.
const (
	// BodyForm sends a form, as RFC 6749 demands (appendix B). It is also the
	// meaning of the empty BodyFormat.
	BodyForm BodyFormat = "Form"
	// BodyJSON sends an object of strings. A parameter that occurs several times
	// becomes an array of them.
	BodyJSON BodyFormat = "JSON"
	// BodyQuery adds the parameters to the query of the URL, in the place of those
	// there that have the same names. There is no body.
	BodyQuery BodyFormat = "Query"
	// BodyNone sends no parameters and no body.
	BodyNone BodyFormat = "None"
)

// ClientAuthentication is who the client is and how it proves it. It cannot be
// printed: it may hold private keys.
type ClientAuthentication struct {
	// Method has no default.
	Method Method
	// BasicEncoding matters to MethodClientSecretBasic only.
	BasicEncoding BasicEncoding
	// ID is the client_id. MethodNone may do without, and so may a Token, where
	// the endpoint knows the client by the assertion's subject (RFC 7521
	// section 4.2).
	ID string
	// Secret is the client_secret, which may be empty (RFC 6749 section 2.3.1).
	Secret redact.String
	// Key signs the assertion of MethodPrivateKeyJWT.
	Key *assertion.Key
	// Algorithm (RFC 7518 section 3.1) and KeyID are those of the assertion that
	// is signed. Where they are empty, they follow from the key.
	Algorithm, KeyID string
	// Audience is the aud of the assertion that is signed; empty means the
	// TokenURL.
	Audience string
	// Lifetime is how long after its iat the assertion ends. 0 means 60 s; the
	// longest is 1 h.
	Lifetime time.Duration
	// Token is a ready assertion for MethodPrivateKeyJWT, in the place of Key.
	Token redact.String
	// Certificate is presented to an endpoint that asks for one, whatever the
	// method. The methods of RFC 8705 need it. It must not be changed.
	Certificate *tls.Certificate
}

// Format writes the method and nothing else.
func (a ClientAuthentication) Format(state fmt.State, _ rune) {
	// A failed write shows in the result of the call that formats.
	_, _ = io.WriteString(state, redact.Message(string(a.Method))+" "+redact.Marker)
}

// MarshalJSON returns what Format writes, as a JSON string. It never fails.
func (a ClientAuthentication) MarshalJSON() ([]byte, error) {
	return json.Marshal(fmt.Sprint(a))
}

// Assertion is an assertion that the client signs itself and sends as the
// parameter assertion (RFC 7523 sections 2.1 and 3).
type Assertion struct {
	// Key is required.
	Key *assertion.Key
	// Algorithm (RFC 7518 section 3.1) and KeyID follow from the key where they
	// are empty.
	Algorithm, KeyID string
	// Issuer is the iss; empty means the client's ID.
	Issuer string
	// Subject is the sub; where it is empty, none is sent.
	Subject string
	// Audience is the aud; empty means the TokenURL.
	Audience string
	// Lifetime is how long after its iat the assertion ends. 0 means 60 s; the
	// longest is 1 h.
	Lifetime time.Duration
	// Claims are further claims. They replace those above that have the same
	// names.
	Claims map[string]any
}

// Field is a header or a parameter.
type Field struct {
	Name  string
	Value redact.String
	// Public says of a parameter that its value is no secret. All other values count
	// as such.
	Public bool
	// Origin is the secret that the value was made of, empty where it was made of none.
	Origin redact.String
}

// Request is everything about one token request.
type Request struct {
	// TokenURL is the token endpoint (RFC 6749 section 3.2): an absolute URL
	// without userinfo and fragment.
	TokenURL string
	// Method is http.MethodPost, which is also what empty means, PUT or GET. A
	// GET goes with BodyQuery and BodyNone only.
	Method string
	// BodyFormat is how the parameters are sent.
	BodyFormat BodyFormat
	// Client is who asks.
	Client ClientAuthentication
	// GrantType is the grant_type; where it is empty, none is sent.
	GrantType string
	// Assertion is signed and sent in front of Grant; nil means that there is none.
	Assertion *Assertion
	// Grant has the parameters of the grant, such as subject_token.
	Grant []Field
	// Scopes are sent as one parameter (RFC 6749 section 3.3), Audiences
	// (RFC 8693 section 2.1) and Resources (RFC 8707 section 2) as one each.
	Scopes, Audiences, Resources []string
	// ScopeSeparator stands between the scopes; empty means a space.
	ScopeSeparator string
	// OmitParameters names those of the parameters above, with those of the
	// client's authentication, that are not sent.
	OmitParameters []string
	// Headers are sent as they are. Of the headers that the client sets itself
	// they may replace Accept, User-Agent, and Content-Type by one of the same
	// media type. Authorization is for a client without MethodClientSecretBasic.
	Headers []Field
	// Parameters are sent as they are, in place of all parameters above that
	// have the same name, but not with BodyNone. A client_secret, a
	// client_assertion and a refresh_token are refused.
	Parameters []Field
	// Response reads the answer; nil means as RFC 6749 section 5 has it.
	Response ResponseMapper `json:"-"`
	// WantRaw asks for Answer.Raw, and WantExtra for Answer.Extra. To clean them of
	// secrets costs more than to read the token.
	WantRaw, WantExtra bool
	// Answered is called at most once, when an answer has been read to its end and
	// before anything of it is judged. nil means nobody.
	Answered func() `json:"-"`
	// Timeout is the longest that the request may take, from the look-up of
	// the host's name to the last byte of the answer's body. 0 or less means
	// 30 s.
	Timeout time.Duration
	// CABundle has the certificates to trust, in PEM. nil means those of the
	// system; an empty one that is not nil is an error.
	CABundle []byte
	// Pool names a set of connections and TLS sessions. Requests share them
	// only where Pool, CABundle and the client's certificate are equal.
	Pool string

	// signed are the assertions that were made for this request.
	signed []redact.String
}
