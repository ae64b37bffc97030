package oauth

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/tokensync/tokensync/internal/redact"
)

// AuthorizationRequest is what a browser takes to an authorization endpoint, for
// a code (RFC 6749 section 4.1.1) that only the holder of the code verifier can
// exchange (RFC 7636). The exchange is a Request with the grant type
// authorization_code, of which Grant has code, code_verifier and, where one was
// sent here, redirect_uri.
type AuthorizationRequest struct {
	// AuthorizationURL is the authorization endpoint (RFC 6749 section 3.1): an
	// absolute URL without userinfo and fragment. Its query is kept.
	AuthorizationURL string
	// ClientID is required.
	ClientID string
	// RedirectURI is where the answer goes: an https URL, or an http URL of this
	// machine (RFC 8252 section 7.3), without userinfo and fragment. Where it is
	// empty, none is sent, and the provider takes the one that is registered.
	RedirectURI string
	// Scopes, ScopeSeparator, Audiences and Resources are as in a Request.
	Scopes               []string
	ScopeSeparator       string
	Audiences, Resources []string
	// Parameters are further ones that the provider knows, such as access_type.
	// Those that are made of the fields here are refused, and those that would
	// replace them.
	Parameters []Field
	// State is what the answer has to repeat; see NewState. It is required.
	State redact.String
	// CodeChallenge is that of the code verifier; see CodeChallenge. It is required.
	CodeChallenge string
}

// standardParameters are the parameters that the fields of an
// AuthorizationRequest make, those that would replace them (RFC 9101 section 5),
// those that change what comes back, and secrets, which do not belong into a
// browser.
var standardParameters = []string{
	"response_type", "client_id", "redirect_uri", "scope", "state", "audience", "resource",
	"code_challenge", "code_challenge_method",
	"request", "request_uri",
	"response_mode",
	"client_secret", "client_assertion", "client_assertion_type", "code_verifier", "refresh_token",
}

// URL returns the URL to open in a browser. It holds the state, which is of use to
// nobody once the answer is there. http is permitted where insecure is true. Every
// error is an *Error.
func (r AuthorizationRequest) URL(insecure bool) (string, error) {
	endpoint, err := parseEndpoint(roleAuthorization, r.AuthorizationURL, insecure)
	if err != nil {
		return "", err
	}

	if err := r.check(insecure); err != nil {
		return "", err
	}

	f := form{{"response_type", "code"}, {paramClientID, r.ClientID}}
	if r.RedirectURI != "" {
		f = append(f, parameter{"redirect_uri", r.RedirectURI})
	}

	f = append(f.request(r.Scopes, r.ScopeSeparator, r.Audiences, r.Resources),
		parameter{"state", r.State.Reveal()},
		parameter{"code_challenge", r.CodeChallenge}, parameter{"code_challenge_method", challengeMethod})

	for _, field := range r.Parameters {
		f = append(f, parameter{field.Name, field.Value.Reveal()})
	}

	endpoint.RawQuery = f.addTo(endpoint.RawQuery)

	return endpoint.String(), nil
}

// check refuses a request that lacks something, or contradicts itself.
func (r AuthorizationRequest) check(insecure bool) error {
	switch {
	case r.ClientID == "":
		return invalidRequest("The authorization code grant needs a client ID. Set client.id or client.idRef.")
	case r.State.IsEmpty():
		return invalidRequest("The authorization request has no state, without which anybody could answer it.")
	case r.CodeChallenge == "":
		return invalidRequest("The authorization request has no code challenge, without which anybody could use its code.")
	}

	for i, field := range r.Parameters {
		name := strings.ToLower(field.Name)
		if slices.Contains(standardParameters, name) {
			return invalidRequest(fmt.Sprintf("The parameter %s may not be added to an authorization request. "+
				"Remove it, or set the field that stands for it.", name))
		}

		// RFC 6749 section 3.1 forbids it.
		if slices.ContainsFunc(r.Parameters[:i], func(other Field) bool { return other.Name == field.Name }) {
			return invalidRequest(fmt.Sprintf("The parameter %s of the authorization request occurs twice. Remove one.",
				redact.Message(field.Name)))
		}
	}

	return checkRedirectURI(r.RedirectURI, insecure)
}

// checkRedirectURI refuses what no answer should be sent to (RFC 6749 section
// 3.1.2).
func checkRedirectURI(raw string, insecure bool) error {
	if raw == "" {
		return nil
	}

	u, err := url.Parse(raw)

	switch {
	// The text of err has the URI in it.
	case err != nil || u.Hostname() == "" || u.Opaque != "" || !isPort(u.Port()):
		return invalidRequest("The redirect URI is not an absolute URL.")
	case u.User != nil || strings.Contains(raw, "#"):
		return invalidRequest("The redirect URI holds a user name or a fragment. Remove it.")
	case u.Scheme == "https", u.Scheme == "http" && (insecure || IsLoopback(u.Hostname())):
		return nil
	default:
		return invalidRequest("The redirect URI is neither an https URL nor an http URL of this machine, " +
			"so that others could read the code on its way.")
	}
}

// IsLoopback tells whether a host, without a port and brackets, is this machine (RFC
// 8252 sections 7.3 and 8.3).
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)

	return host == "localhost" || err == nil && addr.IsLoopback()
}
