package oauth

import (
	"fmt"
	"net/url"

	"github.com/tokensync/tokensync/internal/lifetime"
	"github.com/tokensync/tokensync/internal/redact"
)

// maxAuthorizationCode is the longest code that is believed to be one, in bytes.
// Some are JWTs with much in them.
const maxAuthorizationCode = 8192

// Expectation is what the answer to an authorization request must agree with.
type Expectation struct {
	// State is that of the request. Where it is empty, no answer agrees.
	State redact.String
	// Issuer is that of the provider (RFC 8414 section 2), empty where it is not
	// known.
	Issuer string
	// IssuerRequired is AuthorizationResponseIssParameterSupported of the issuer's
	// Metadata: an answer without an iss then is not the issuer's (RFC 9207
	// section 2.4).
	IssuerRequired bool
}

// ParseCallback returns the code in the query of a redirect URI (RFC 6749 section
// 4.1.2). It believes nothing before the state is right, nor before the issuer is.
//
// Every error is an *Error that a person has to do something about, so that its
// class is Authorization: of KindRejected with the Code of the provider, such as
// access_denied where the person declined; of KindUnreachable where the provider is
// unwell; else of KindInvalidResponse, which may be an answer to another request,
// or an attack.
func ParseCallback(query url.Values, expect Expectation) (redact.String, error) {
	// RFC 6749 section 3.1 forbids it, and readers differ in which one they take.
	for _, name := range []string{"state", "iss", "error", "error_description", "code"} {
		if len(query[name]) > 1 {
			return redact.String{}, unexpected("has the parameter " + problem(name) + " twice")
		}
	}

	state := redact.New(query.Get("state"))

	switch {
	case state.IsEmpty():
		return redact.String{}, unexpected("has no state")
	case !state.Equal(expect.State):
		return redact.String{}, unexpected("has the state of another login")
	case !query.Has("iss") && expect.IssuerRequired:
		return redact.String{}, unexpected("does not say which issuer it is of, although the provider promises to")
	case query.Has("iss") && query.Get("iss") != expect.Issuer && (expect.Issuer != "" || expect.IssuerRequired):
		return redact.String{}, unexpected("is of another issuer")
	}

	code := query.Get("code")

	switch {
	case query.Get("error") != "":
		return redact.String{}, declined(query, expect.State)
	case code == "":
		return redact.String{}, unexpected("has neither a code nor an error")
	case len(code) > maxAuthorizationCode || !clean(code):
		return redact.String{}, unexpected("has a code that cannot be one")
	default:
		return redact.New(code), nil
	}
}

// unexpected returns the error for an answer that nobody can have asked for.
func unexpected(wrong problem) *Error {
	return &Error{
		Kind: KindInvalidResponse, Class: lifetime.Authorization,
		Message: fmt.Sprintf("The answer of the authorization endpoint %s. It was not used. Log in again, "+
			"and use only the page that opens then.", wrong),
	}
}

// declined returns the error for an answer with an error (RFC 6749 section
// 4.1.2.1, OpenID Connect Core section 3.1.2.6).
func declined(query url.Values, state redact.String) *Error {
	scrubber := redact.NewScrubber(state, redact.New(query.Get("code")))
	raw := query.Get("error")
	e := &Error{
		Kind: KindRejected, Class: lifetime.Authorization,
		Code:        shorten(scrubber.Clean(raw)),
		Description: scrubber.Clean(query.Get("error_description")),
	}
	who := "The authorization endpoint refused the request"
	advice := "Check the request against the provider's documentation, then log in again."

	switch raw {
	case codeDenied:
		who = "The request for access was declined at the provider"
		advice = "Log in again and approve it, or ask who may."
	case "invalid_request":
		advice = "Check what this endpoint demands, and that the redirect URI is registered for the client. " +
			"Then log in again."
	case "unauthorized_client", "unsupported_response_type":
		advice = "Check that this client may use the grant type authorization_code, then log in again."
	case "invalid_scope":
		advice = "Check scopes, then log in again."
	case "invalid_target": // RFC 8707 section 2
		advice = "Check audiences and resources, then log in again."
	case "consent_required", "interaction_required", "login_required", "account_selection_required":
		advice = "Log in again, and follow what the provider asks for."
	}

	if isUnwell(raw) {
		e.Kind, who, advice = KindUnreachable, "The authorization endpoint cannot answer for now", "Log in again later."
	}

	e.Message = fmt.Sprintf("%s%s %s", who, e.report(), advice)

	return e
}
