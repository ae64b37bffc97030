package oauth

import (
	"fmt"
	"net/http"
)

// isUnwell tells whether a code means that the endpoint cannot answer for now,
// whatever the status.
func isUnwell(code string) bool {
	return code == "temporarily_unavailable" || code == "server_error"
}

// IsKnownCode tells whether a code is one with which OAuth token endpoints are
// known to answer, rather than one of the provider's own.
func IsKnownCode(code string) bool {
	_, known := Request{}.refusal(code)

	return known || isUnwell(code) || isPending(code)
}

// refusal returns what to do about a code with which token endpoints refuse,
// and whether it is one of them. What tokensync cannot act upon has no advice.
func (r Request) refusal(code string) (advice string, known bool) {
	switch code {
	case "invalid_client": // RFC 6749 section 5.2, as are those down to invalid_scope
		return r.Client.hint(), true
	case "invalid_grant":
		if r.GrantType == grantClientCredentials {
			// Some servers say so where RFC 6749 has invalid_client.
			return r.Client.hint(), true
		}

		return r.grantHint(), true
	case "invalid_request":
		return "Check what this endpoint demands: request.parameters, request.headers, scopes and audiences.", true
	case "unauthorized_client":
		if r.GrantType == "" {
			return "Check what this client may do at the provider.", true
		}

		return fmt.Sprintf("Check that this client may use the grant type %s.", r.shownGrant()), true
	case "unsupported_grant_type":
		return fmt.Sprintf("Check that this endpoint offers the grant type %s.", r.shownGrant()), true
	case "invalid_scope":
		return "Check scopes.", true
	case "invalid_target": // RFC 8693 section 2.2.2, RFC 8707 section 2
		return "Check audiences and resources.", true
	case "invalid_dpop_proof", "use_dpop_nonce": // RFC 9449
		return "The endpoint demands DPoP. Register the client for bearer tokens.", true
	case "invalid_authorization_details": // RFC 9396 section 5
		return "Check the parameter authorization_details.", true
	case codeDenied, codeExpired:
		return r.verdictHint(code), true
	case "unsupported_token_type": // RFC 7009 section 2.2.1
		return "This endpoint does not revoke tokens of this kind.", true
	case "consent_required", "interaction_required", "login_required": // OpenID Connect Core section 3.1.2.6
		return "A person has to give consent at the provider.", true
	default:
		return "", false
	}
}

// verdictHint returns what to do after a person, or the lack of one, has decided
// on a device code. Where nobody was asked there is nothing to advise.
func (r Request) verdictHint(code string) string {
	switch {
	case r.GrantType != grantDeviceCode:
		return ""
	case code == codeDenied:
		return "The person declined, or may not give this access. Log in again to ask once more."
	default:
		return "Nobody approved in time. Log in again to get a new code."
	}
}

// adviceFor returns what to do about a status without a known code.
func (x *exchange) adviceFor(e *Error) string {
	if e.GrantRefused {
		return x.request.grantHint()
	}

	switch e.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return "Check " + x.role.field() + "."
	case http.StatusUnauthorized:
		return x.request.Client.hint()
	default:
		return "Check the request against the provider's documentation."
	}
}
