package oauth

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/tokensync/tokensync/internal/redact"
)

// authenticate adds to header or form what proves who the client is.
func (a ClientAuthentication) authenticate(header http.Header, f form) (form, error) {
	if a.ID == "" && (a.Method == MethodClientSecretBasic || a.Method == MethodClientSecretPost) {
		return nil, invalidRequest(fmt.Sprintf("The method %s needs a client ID. Set client.id or client.idRef.", a.Method))
	}

	switch a.Method {
	case MethodClientSecretBasic:
		return f, a.basic(header)
	case MethodClientSecretPost:
		return append(f, parameter{"client_id", a.ID}, parameter{"client_secret", a.Secret.Reveal()}), nil
	case MethodNone:
		if a.ID == "" {
			return f, nil
		}

		return append(f, parameter{"client_id", a.ID}), nil
	default:
		return nil, invalidRequest(fmt.Sprintf(
			"The client authentication method %q is not supported here.", redact.Message(string(a.Method))))
	}
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

// hint returns what to look at when the endpoint does not know the client.
func (a ClientAuthentication) hint() string {
	secret := a.Secret.Reveal()

	if strings.TrimFunc(secret, unicode.IsSpace) != secret {
		return "The client secret begins or ends with white space, which is sent too: check how it was stored."
	}

	if a.Method == MethodClientSecretBasic && a.BasicEncoding != Raw &&
		(url.QueryEscape(a.ID) != a.ID || url.QueryEscape(secret) != secret) {
		return "The client ID or secret holds characters that RFC 6749 encodes and this endpoint may want as " +
			"they are: try clientAuthentication.basicEncoding: Raw. Otherwise check the ID and the secret."
	}

	return "Check the client ID, the client secret and clientAuthentication.method."
}
