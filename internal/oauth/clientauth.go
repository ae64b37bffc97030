package oauth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tokensync/tokensync/internal/assertion"
	"github.com/tokensync/tokensync/internal/redact"
)

// The parameters of client authentication (RFC 6749 section 2.3.1, RFC 7521
// section 4.2).
const (
	paramClientID            = "client_id"
	paramClientSecret        = "client_secret"
	paramClientAssertion     = "client_assertion"
	paramClientAssertionType = "client_assertion_type"
)

// authenticate sets in header or returns as parameters what proves who the
// client is.
func (a ClientAuthentication) authenticate(header http.Header, s *signer) (form, error) {
	if err := a.check(); err != nil {
		return nil, err
	}

	var f form
	if a.ID != "" {
		f = form{{paramClientID, a.ID}}
	}

	switch a.Method {
	case MethodClientSecretBasic:
		return nil, a.basic(header)
	case MethodClientSecretPost:
		return append(f, parameter{paramClientSecret, a.Secret.Reveal()}), nil
	case MethodClientSecretJWT:
		return a.assert(f, assertion.SecretKey(a.Secret), s)
	case MethodPrivateKeyJWT:
		return a.assert(f, a.Key, s)
	case MethodTLSClientAuth, MethodSelfSignedTLSClientAuth, MethodNone:
	}

	return f, nil
}

// check refuses a client that lacks what its method needs.
func (a ClientAuthentication) check() error {
	nameless := false

	switch a.Method {
	case MethodClientSecretBasic, MethodClientSecretPost:
	case MethodClientSecretJWT:
		if a.Secret.IsEmpty() {
			return invalidRequest("The method client_secret_jwt needs a client secret. Set client.secretRef.")
		}
	case MethodPrivateKeyJWT:
		if nameless = !a.Token.IsEmpty(); !nameless && a.Key == nil {
			return invalidRequest("The method private_key_jwt needs a key. " +
				"Set client.privateKeyRef, client.certificateRef or client.serviceAccount.")
		}
	case MethodTLSClientAuth, MethodSelfSignedTLSClientAuth:
		if a.Certificate == nil {
			return invalidRequest(fmt.Sprintf("The method %s needs a client certificate. Set client.certificateRef.", a.Method))
		}
	case MethodNone:
		nameless = true
	default:
		return invalidRequest(fmt.Sprintf(
			"The client authentication method %q is not supported here.", redact.Message(string(a.Method))))
	}

	if a.ID == "" && !nameless {
		return invalidRequest(fmt.Sprintf("The method %s needs a client ID. Set client.id or client.idRef.", a.Method))
	}

	return nil
}

// isMutualTLS tells whether the connection proves who the client is (RFC 8705
// section 2).
func (a ClientAuthentication) isMutualTLS() bool {
	return a.Method == MethodTLSClientAuth || a.Method == MethodSelfSignedTLSClientAuth
}

// assert adds to the form the ready assertion, or one that the key signs.
func (a ClientAuthentication) assert(f form, key *assertion.Key, s *signer) (form, error) {
	signed := a.Token.Reveal()

	if a.Method != MethodPrivateKeyJWT || signed == "" {
		var err error
		if signed, err = s.client(a, key); err != nil {
			return nil, err
		}
	}

	return append(f, parameter{paramClientAssertionType, clientAssertionType}, parameter{paramClientAssertion, signed}), nil
}

// basic sets the Authorization header (RFC 6749 section 2.3.1).
func (a ClientAuthentication) basic(header http.Header) error {
	if header.Get("Authorization") != "" {
		return invalidRequest("The request has an Authorization header of its own beside the method " +
			"client_secret_basic, which sends one too. Remove the header, or set clientAuthentication.method to none.")
	}

	id, secret := a.ID, a.Secret.Reveal()

	switch a.BasicEncoding {
	case FormURLEncoded, "":
		id, secret = url.QueryEscape(id), url.QueryEscape(secret)
	case Raw:
		if strings.Contains(id, ":") {
			return invalidRequest("The client ID holds a colon, which cannot be told from the end of the ID " +
				"with basicEncoding Raw. Set basicEncoding to FormURLEncoded.")
		}
	default:
		return invalidRequest(fmt.Sprintf("The basicEncoding %q is not known. Use FormURLEncoded or Raw.",
			redact.Message(string(a.BasicEncoding))))
	}

	header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":"+secret)))

	return nil
}
