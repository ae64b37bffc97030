package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

const (
	// maxEndpoint is the longest endpoint that is taken from metadata.
	maxEndpoint = 2048
	// maxMethods and maxMethod bound a list of methods and each of them: both are
	// kept for as long as the metadata is.
	maxMethods = 32
	maxMethod  = 128
)

// Metadata is what an issuer says about itself (RFC 8414 section 2, OpenID
// Connect Discovery section 3). Its URLs are absolute, without userinfo and
// fragment, and https unless Options.AllowInsecureHTTP.
type Metadata struct {
	// Issuer equals that of the request.
	Issuer string
	// TokenEndpoint is never empty.
	TokenEndpoint string
	// MTLSTokenEndpoint is the token endpoint for clients that present a
	// certificate (RFC 8705 section 5). It is TokenEndpoint where the metadata
	// names no other.
	MTLSTokenEndpoint string
	// AuthorizationEndpoint, DeviceAuthorizationEndpoint (RFC 8628 section 4) and
	// RevocationEndpoint are empty where the metadata has none that can be used.
	AuthorizationEndpoint       string
	DeviceAuthorizationEndpoint string
	RevocationEndpoint          string
	// TokenEndpointAuthMethods are the methods of client authentication that the
	// token endpoint knows. nil means that the metadata does not say, which RFC
	// 8414 takes for client_secret_basic alone.
	TokenEndpointAuthMethods []Method
	// CodeChallengeMethods are the methods of PKCE that the authorization endpoint
	// knows (RFC 7636 section 4.3). nil means that the metadata does not say.
	CodeChallengeMethods []string
	// AuthorizationResponseIssParameterSupported tells that every authorization
	// response has an iss (RFC 9207 section 3).
	AuthorizationResponseIssParameterSupported bool
}

// wellKnown returns where the metadata of an issuer may be: between host and
// path (RFC 8414 section 3.1), and after the path (OpenID Connect Discovery
// section 4).
func wellKnown(issuer *url.URL) []string {
	authority, path := issuer.Scheme+"://"+issuer.Host, strings.TrimSuffix(issuer.EscapedPath(), "/")

	return []string{
		authority + "/.well-known/oauth-authorization-server" + path,
		authority + path + "/.well-known/openid-configuration",
	}
}

// parseIssuer returns the issuer, if it is one that may be asked.
func parseIssuer(raw string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(raw)

	switch {
	// The text of err has the URL in it.
	case err != nil || u.Hostname() == "" || u.Opaque != "" || !isPort(u.Port()):
		return nil, invalidRequest("issuer is not an absolute https URL.")
	case u.User != nil:
		return nil, invalidRequest("issuer holds a user name or a password. Remove them.")
	case strings.ContainsAny(raw, "?#"):
		return nil, invalidRequest("issuer holds a query or a fragment, which RFC 8414 forbids. Remove it.")
	case u.Scheme == "http" && !insecure:
		return nil, &Error{
			Kind: KindEgressDenied, Class: lifetime.Configuration,
			Message: "issuer begins with http://, which lets anyone on the way name the token endpoint. Use https://, " +
				"or have an administrator start tokensync with --allow-insecure-http.",
		}
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalidRequest("issuer is not an https URL.")
	default:
		return u, nil
	}
}

// parseMetadata reads the metadata of an issuer.
func parseMetadata(body []byte, issuer string, insecure bool) (*Metadata, problem) {
	c, wrong := parseBody(body)

	switch {
	case wrong != "":
		return nil, wrong
	case !c.json:
		return nil, "is not valid JSON"
	case c.fields.text("issuer") != issuer:
		return nil, mismatch(c.fields.text("issuer"), issuer)
	}

	optional := func(name string) string {
		endpoint, _ := endpointAt(c.fields, insecure, name)

		return endpoint
	}
	m := &Metadata{
		Issuer:                      issuer,
		AuthorizationEndpoint:       optional("authorization_endpoint"),
		DeviceAuthorizationEndpoint: optional("device_authorization_endpoint"),
		RevocationEndpoint:          optional("revocation_endpoint"),
		TokenEndpointAuthMethods:    methodsOf[Method](c.fields["token_endpoint_auth_methods_supported"]),
		CodeChallengeMethods:        methodsOf[string](c.fields["code_challenge_methods_supported"]),
	}
	m.AuthorizationResponseIssParameterSupported, _ = c.fields["authorization_response_iss_parameter_supported"].(bool)

	if m.TokenEndpoint, wrong = endpointAt(c.fields, insecure, "token_endpoint"); wrong != "" {
		return nil, wrong
	}

	if m.TokenEndpoint == "" {
		return nil, "has no token_endpoint"
	}

	if m.MTLSTokenEndpoint, wrong = endpointAt(c.fields, insecure, "mtls_endpoint_aliases", "token_endpoint"); wrong != "" {
		return nil, wrong
	}

	if m.MTLSTokenEndpoint == "" {
		m.MTLSTokenEndpoint = m.TokenEndpoint
	}

	return m, ""
}

// endpointAt returns the URL at a path of metadata, empty where there is none,
// or why it cannot be used.
func endpointAt(f fields, insecure bool, path ...string) (string, problem) {
	endpoint := f.text(path...)
	if endpoint == "" {
		return "", ""
	}

	if _, err := parseEndpoint(roleToken, endpoint, insecure); err != nil || len(endpoint) > maxEndpoint {
		return "", problem("has a " + strings.Join(path, ".") + " that is not an absolute https URL without userinfo and fragment")
	}

	return endpoint, ""
}

// methodsOf returns the strings of an array, and nil for anything else.
func methodsOf[M ~string](value any) []M {
	items, _ := value.([]any)

	var methods []M

	for _, item := range items[:min(len(items), maxMethods)] {
		if method, ok := item.(string); ok && len(method) <= maxMethod {
			methods = append(methods, M(method))
		}
	}

	return methods
}

// mismatch says how the issuer that metadata names differs from the one that
// was asked. What is found there is shown no further than its host.
func mismatch(found, asked string) problem {
	if found == "" {
		return "has no issuer"
	}

	const exactly = ", but issuer has to be exactly the same"

	u, err := url.Parse(found)
	wanted, unwanted := url.Parse(asked)

	switch {
	case err != nil || unwanted != nil || u.Host == "":
		return "names an issuer that is not a URL" + exactly
	case found == asked+"/":
		return "names an issuer with a slash at its end" + exactly
	case found+"/" == asked:
		return "names an issuer without a slash at its end" + exactly
	case u.Host == wanted.Host:
		return "names an issuer of the same host that is spelled differently" + exactly
	default:
		return problem(fmt.Sprintf("names another issuer, of the host %s%s", redact.Message(u.Host), exactly))
	}
}

// metadataFailure returns the error for an answer that is no metadata.
func (x *exchange) metadataFailure(resp *http.Response, wrong problem) *Error {
	const instead = "Check issuer, or set tokenURL instead."

	e := &Error{Kind: KindInvalidResponse, Class: lifetime.Protocol, Status: resp.StatusCode}

	if resp.StatusCode >= http.StatusBadRequest {
		e.Message = fmt.Sprintf("%s has no metadata, neither at /.well-known/oauth-authorization-server nor at "+
			"/.well-known/openid-configuration%s %s", x.who(), e.report(), instead)
	} else {
		e.Message = fmt.Sprintf("The metadata of %s %s%s %s", x.whoInside(), wrong, e.report(), instead)
	}

	return e
}
