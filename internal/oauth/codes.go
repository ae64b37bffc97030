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

	return known || isUnwell(code)
}

// refusal returns what to do about a code with which token endpoints refuse,
// and whether it is one of them. What tokensync cannot act upon has no advice.
func (r Request) refusal(code string) (advice string, known bool) {
	switch code {
	case "invalid_client": // RFC 6749 section 5.2, as are those down to invalid_scope
		return r.Client.hint(), true
	case "invalid_grant":
		if r.GrantType == "client_credentials" {
			// Some servers say so where RFC 6749 has invalid_client.
			return r.Client.hint(), true
		}

		return r.grantHint(), true
	case "invalid_request":
		return "Check what this endpoint demands: request.parameters, request.headers, scopes and audiences.", true
	case "unauthorized_client":
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
	case "access_denied", "expired_token": // RFC 8628 section 3.5
		return "", true
	case "consent_required", "interaction_required", "login_required": // OpenID Connect Core section 3.1.2.6
		return "A person has to give consent at the provider.", true
	default:
		return "", false
	}
}

// adviceFor returns what to do about a status without a known code.
func (r Request) adviceFor(status int) string {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone:
		return "Check tokenURL."
	case http.StatusUnauthorized:
		return r.Client.hint()
	default:
		return "Check the request against the provider's documentation."
	}
}
